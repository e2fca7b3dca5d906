-- One row per minute since $since with matching requests: sums of those served or throttled.
SELECT minute_utc AS window_utc,
       CAST(requests AS DOUBLE) AS requests,
       CAST(token_requests AS DOUBLE) AS token_requests,
       CAST(cached_known_requests AS DOUBLE) AS cached_known_requests,
       prompt_tok_sum, cached_prompt_tok_sum, output_tok_sum, prompt_tok_sq_sum, cached_prompt_tok_sq_sum,
       prompt_cached_sum, prompt_output_sum, output_tok_sq_sum
FROM matched_minute
WHERE minute_utc >= $since AND requests > 0
ORDER BY minute_utc
