-- One row per source label, UTC day and rollup whose sums differ from those of its slices, with both request counts.
-- Sums beyond 2^53 may round by their order, so 1e-9 of them may differ. Days without slices came in as rollups.
WITH slices AS (
    SELECT source_label, CAST(make_timestamptz(arrived_us - arrived_us % 86400000000) AS DATE) AS day_utc,
           count(*) AS requests,
           count(prompt_tok) AS token_requests,
           count(cached_prompt_tok) AS cached_known_requests,
           count(*) FILTER (prompt_tok > $least_threshold) AS long_requests,
           coalesce(sum(CAST(prompt_tok AS DOUBLE)), 0) AS prompt_tok_sum,
           coalesce(sum(CAST(cached_prompt_tok AS DOUBLE)), 0) AS cached_prompt_tok_sum,
           coalesce(sum(CAST(output_tok AS DOUBLE)), 0) AS output_tok_sum,
           coalesce(sum(CAST(prompt_tok AS DOUBLE) * prompt_tok), 0) AS prompt_tok_sq_sum,
           coalesce(sum(CAST(cached_prompt_tok AS DOUBLE) * cached_prompt_tok), 0) AS cached_prompt_tok_sq_sum,
           coalesce(sum(CAST(prompt_tok AS DOUBLE) * cached_prompt_tok), 0) AS prompt_cached_sum,
           coalesce(sum(CAST(prompt_tok AS DOUBLE) * output_tok), 0) AS prompt_output_sum,
           coalesce(sum(CAST(output_tok AS DOUBLE) * output_tok), 0) AS output_tok_sq_sum
    FROM rollup_requests
    GROUP BY source_label, day_utc
), fine AS (
    SELECT 'rollup_10s' AS rollup, CAST(window_utc AS DATE) AS day_utc, * EXCLUDE (window_utc) FROM rollup_10s
), minutes AS (
    SELECT 'rollup_minute' AS rollup, CAST(minute_utc AS DATE) AS day_utc, * EXCLUDE (minute_utc) FROM rollup_minute
), summed AS (
    SELECT rollup, source_label, day_utc,
           sum(requests) AS requests, sum(token_requests) AS token_requests,
           sum(cached_known_requests) AS cached_known_requests,
           sum(prompt_tok_sum) AS prompt_tok_sum, sum(cached_prompt_tok_sum) AS cached_prompt_tok_sum,
           sum(output_tok_sum) AS output_tok_sum, sum(prompt_tok_sq_sum) AS prompt_tok_sq_sum,
           sum(cached_prompt_tok_sq_sum) AS cached_prompt_tok_sq_sum, sum(prompt_cached_sum) AS prompt_cached_sum,
           sum(prompt_output_sum) AS prompt_output_sum, sum(output_tok_sq_sum) AS output_tok_sq_sum
    FROM (SELECT * FROM fine UNION ALL BY NAME SELECT * FROM minutes)
    GROUP BY rollup, source_label, day_utc
), sums_differ AS (
    SELECT rollup, source_label, day_utc, summed.requests AS found, slices.requests AS promised
    FROM summed JOIN slices USING (source_label, day_utc)
    WHERE summed.requests <> slices.requests
        OR summed.token_requests <> slices.token_requests
        OR summed.cached_known_requests <> slices.cached_known_requests
        OR abs(summed.prompt_tok_sum - slices.prompt_tok_sum) > 1e-9 * slices.prompt_tok_sum
        OR abs(summed.cached_prompt_tok_sum - slices.cached_prompt_tok_sum) > 1e-9 * slices.cached_prompt_tok_sum
        OR abs(summed.output_tok_sum - slices.output_tok_sum) > 1e-9 * slices.output_tok_sum
        OR abs(summed.prompt_tok_sq_sum - slices.prompt_tok_sq_sum) > 1e-9 * slices.prompt_tok_sq_sum
        OR abs(summed.cached_prompt_tok_sq_sum - slices.cached_prompt_tok_sq_sum)
            > 1e-9 * slices.cached_prompt_tok_sq_sum
        OR abs(summed.prompt_cached_sum - slices.prompt_cached_sum) > 1e-9 * slices.prompt_cached_sum
        OR abs(summed.prompt_output_sum - slices.prompt_output_sum) > 1e-9 * slices.prompt_output_sum
        OR abs(summed.output_tok_sq_sum - slices.output_tok_sq_sum) > 1e-9 * slices.output_tok_sq_sum
), counted AS (
    SELECT 'rollup_minute' AS rollup, source_label, day_utc, requests FROM minutes
    UNION ALL
    SELECT 'token_histogram_daily, ' || field, source_label, day_utc, requests FROM token_histogram_daily
    UNION ALL
    SELECT 'joint_histogram_daily', source_label, day_utc, requests FROM joint_histogram_daily
    UNION ALL
    SELECT 'long_requests_daily', source_label, day_utc, requests FROM long_requests_daily
    WHERE threshold_tok = $least_threshold
), found AS (
    SELECT rollup, source_label, day_utc, sum(requests) AS found
    FROM counted GROUP BY rollup, source_label, day_utc
), promised AS (
    SELECT unnest([
               {'rollup': 'rollup_minute', 'promised': requests},
               {'rollup': 'token_histogram_daily, prompt', 'promised': token_requests},
               {'rollup': 'token_histogram_daily, cached', 'promised': cached_known_requests},
               {'rollup': 'token_histogram_daily, output', 'promised': token_requests},
               {'rollup': 'joint_histogram_daily', 'promised': token_requests},
               {'rollup': 'long_requests_daily', 'promised': long_requests}
           ], recursive := true),
           source_label, day_utc
    FROM slices
)
SELECT rollup, source_label, day_utc, found, promised FROM sums_differ
UNION
SELECT rollup, source_label, day_utc, coalesce(found, 0), promised
FROM promised LEFT JOIN found USING (rollup, source_label, day_utc)
WHERE coalesce(found, 0) <> promised
ORDER BY source_label, day_utc, rollup
