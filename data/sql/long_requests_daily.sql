-- One row per UTC day, key and length of `long_prompt`: what the requests with a longer prompt add up to.
SELECT CAST(make_timestamptz(day_us) AS DATE) AS day_utc,
       source_label, model, region, team, category, status_class, threshold_tok,
       count(*) AS requests,
       sum(prompt_tok) AS prompt_tok_sum,
       coalesce(sum(cached_prompt_tok), 0) AS cached_prompt_tok_sum,
       sum(output_tok) AS output_tok_sum,
       sum(prompt_tok * prompt_tok) AS prompt_tok_sq_sum,
       coalesce(sum(cached_prompt_tok * cached_prompt_tok), 0) AS cached_prompt_tok_sq_sum,
       coalesce(sum(prompt_tok * cached_prompt_tok), 0) AS prompt_cached_sum,
       sum(prompt_tok * output_tok) AS prompt_output_sum,
       sum(output_tok * output_tok) AS output_tok_sq_sum
FROM (
    SELECT arrived_us - arrived_us % 86400000000 AS day_us,
           source_label, model, region, team, category, status_class, threshold_tok,
           CAST(prompt_tok AS DOUBLE) AS prompt_tok,
           CAST(cached_prompt_tok AS DOUBLE) AS cached_prompt_tok,
           CAST(output_tok AS DOUBLE) AS output_tok
    FROM (SELECT * FROM rollup_requests WHERE prompt_tok > $least_threshold) AS longer
    CROSS JOIN long_prompt
    WHERE prompt_tok > threshold_tok
) AS counted
GROUP BY day_us, source_label, model, region, team, category, status_class, threshold_tok
