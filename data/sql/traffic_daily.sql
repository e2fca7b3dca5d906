-- One row per UTC day of the matching requests: sums of those served or throttled, and how many failed.
WITH matching AS (
    SELECT CAST(minute_utc AS DATE) AS day_utc, *
    FROM rollup_minute
    WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND minute_utc >= $since AND minute_utc < $until
), asked AS (
SELECT day_utc,
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
FROM matching
WHERE status_class <> 'failed'
GROUP BY day_utc
), failed AS (
    SELECT day_utc, CAST(sum(requests) AS DOUBLE) AS failed_requests
    FROM matching
    WHERE status_class = 'failed'
    GROUP BY day_utc
)
SELECT * FROM asked FULL JOIN failed USING (day_utc) ORDER BY day_utc
