-- One row per UTC day and prompt length: what the matching requests with a longer prompt add up to.
SELECT day_utc, threshold_tok,
       CAST(sum(requests) AS DOUBLE) AS requests,
       sum(prompt_tok_sum) AS prompt_tok_sum,
       sum(cached_prompt_tok_sum) AS cached_prompt_tok_sum,
       sum(output_tok_sum) AS output_tok_sum,
       sum(prompt_tok_sq_sum) AS prompt_tok_sq_sum,
       sum(cached_prompt_tok_sq_sum) AS cached_prompt_tok_sq_sum,
       sum(prompt_cached_sum) AS prompt_cached_sum,
       sum(prompt_output_sum) AS prompt_output_sum,
       sum(output_tok_sq_sum) AS output_tok_sq_sum
FROM long_requests_daily
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND status_class <> 'failed'
    AND day_utc >= CAST($since AS DATE) AND day_utc < CAST($until AS DATE)
GROUP BY day_utc, threshold_tok
ORDER BY day_utc, threshold_tok
