-- One row per minute with matching requests: sums of those served or throttled.
SELECT minute_utc AS window_utc,
       CAST(sum(requests) AS DOUBLE) AS requests,
       CAST(sum(token_requests) AS DOUBLE) AS token_requests,
       CAST(sum(cached_known_requests) AS DOUBLE) AS cached_known_requests,
       sum(prompt_tok_sum) AS prompt_tok_sum,
       sum(cached_prompt_tok_sum) AS cached_prompt_tok_sum,
       sum(output_tok_sum) AS output_tok_sum,
       sum(prompt_tok_sq_sum) AS prompt_tok_sq_sum,
       sum(cached_prompt_tok_sq_sum) AS cached_prompt_tok_sq_sum,
       sum(prompt_cached_sum) AS prompt_cached_sum,
       sum(prompt_output_sum) AS prompt_output_sum,
       sum(output_tok_sq_sum) AS output_tok_sq_sum
FROM rollup_minute
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND status_class <> 'failed'
    AND minute_utc >= $since AND minute_utc < $until
GROUP BY minute_utc
ORDER BY minute_utc
