-- One row per minute and key: sums from which the work on any GPU follows.
-- Sums are of whole numbers in DOUBLE, exact below 2^53, so that the order of rows cannot change them.
-- Unknown cached tokens count as 0.
SELECT make_timestamptz(window_us) AS minute_utc,
       source_label, model, region, team, category, status_class,
       count(*) AS requests,
       count(prompt_tok) AS token_requests,
       count(cached_prompt_tok) AS cached_known_requests,
       coalesce(sum(prompt_tok), 0) AS prompt_tok_sum,
       coalesce(sum(cached_prompt_tok), 0) AS cached_prompt_tok_sum,
       coalesce(sum(output_tok), 0) AS output_tok_sum,
       coalesce(sum(prompt_tok * prompt_tok), 0) AS prompt_tok_sq_sum,
       coalesce(sum(cached_prompt_tok * cached_prompt_tok), 0) AS cached_prompt_tok_sq_sum,
       coalesce(sum(prompt_tok * cached_prompt_tok), 0) AS prompt_cached_sum,
       coalesce(sum(prompt_tok * output_tok), 0) AS prompt_output_sum,
       coalesce(sum(output_tok * output_tok), 0) AS output_tok_sq_sum
FROM (
    SELECT arrived_us - arrived_us % 60000000 AS window_us,
           source_label, model, region, team, category, status_class,
           CAST(prompt_tok AS DOUBLE) AS prompt_tok,
           CAST(cached_prompt_tok AS DOUBLE) AS cached_prompt_tok,
           CAST(output_tok AS DOUBLE) AS output_tok
    FROM rollup_requests
) AS windowed
GROUP BY window_us, source_label, model, region, team, category, status_class
