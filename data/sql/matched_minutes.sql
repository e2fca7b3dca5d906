-- One row per minute with matching requests, all keys together: sums of those served or throttled, and the failed.
CREATE OR REPLACE TEMP TABLE matched_minute AS
WITH matching AS (
    SELECT *, status_class = 'failed' AS failed
    FROM rollup_minute
    WHERE source_label = coalesce($label, source_label)
        AND ($model IS NULL OR model = $model)
        AND ($region IS NULL OR region = $region)
        AND ($team IS NULL OR team = $team)
        AND minute_utc >= $since AND minute_utc < $until
)
SELECT minute_utc,
       sum(CASE WHEN failed THEN 0 ELSE requests END) AS requests,
       sum(CASE WHEN failed THEN requests ELSE 0 END) AS failed_requests,
       sum(CASE WHEN status_class = 'throttled' THEN requests ELSE 0 END) AS throttled_requests,
       sum(CASE WHEN failed THEN 0 ELSE token_requests END) AS token_requests,
       sum(CASE WHEN failed THEN 0 ELSE cached_known_requests END) AS cached_known_requests,
       sum(CASE WHEN failed THEN 0 ELSE prompt_tok_sum END) AS prompt_tok_sum,
       sum(CASE WHEN failed THEN 0 ELSE cached_prompt_tok_sum END) AS cached_prompt_tok_sum,
       sum(CASE WHEN failed THEN 0 ELSE output_tok_sum END) AS output_tok_sum,
       sum(CASE WHEN failed THEN 0 ELSE prompt_tok_sq_sum END) AS prompt_tok_sq_sum,
       sum(CASE WHEN failed THEN 0 ELSE cached_prompt_tok_sq_sum END) AS cached_prompt_tok_sq_sum,
       sum(CASE WHEN failed THEN 0 ELSE prompt_cached_sum END) AS prompt_cached_sum,
       sum(CASE WHEN failed THEN 0 ELSE prompt_output_sum END) AS prompt_output_sum,
       sum(CASE WHEN failed THEN 0 ELSE output_tok_sq_sum END) AS output_tok_sq_sum
FROM matching
GROUP BY minute_utc
