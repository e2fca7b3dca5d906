-- One row per UTC day of the matching requests: sums of those served or throttled, how many failed, and the requests
-- of its busiest minute and hour.
WITH hours AS (
    SELECT date_trunc('hour', minute_utc) AS hour_utc,
           max(requests) AS busiest_minute,
           sum(failed_requests) AS failed_requests, sum(throttled_requests) AS throttled_requests,
           sum(requests) AS requests,
           sum(token_requests) AS token_requests,
           sum(cached_known_requests) AS cached_known_requests,
           sum(prompt_tok_sum) AS prompt_tok_sum,
           sum(cached_prompt_tok_sum) AS cached_prompt_tok_sum,
           sum(output_tok_sum) AS output_tok_sum,
           sum(prompt_tok_sq_sum) AS prompt_tok_sq_sum,
           sum(cached_prompt_tok_sq_sum) AS cached_prompt_tok_sq_sum,
           sum(prompt_cached_sum) AS prompt_cached_sum,
           sum(prompt_output_sum) AS prompt_output_sum,
           sum(output_tok_sq_sum) AS output_tok_sq_sum
    FROM matched_minute
    GROUP BY hour_utc
)
SELECT CAST(hour_utc AS DATE) AS day_utc,
       CAST(max(busiest_minute) AS DOUBLE) AS peak_minute_requests,
       CAST(max(requests) AS DOUBLE) AS peak_hour_requests,
       CAST(sum(failed_requests) AS DOUBLE) AS failed_requests,
       CAST(sum(throttled_requests) AS DOUBLE) AS throttled_requests,
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
FROM hours
GROUP BY day_utc
ORDER BY day_utc
