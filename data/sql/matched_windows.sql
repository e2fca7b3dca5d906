-- One row per window of $window_us and band of length: sums of the matching requests served or throttled.
-- Band 0 holds requests of up to the first of $above_tok (prompt + output tokens), band 1 those above it, and so on;
-- NULL those whose lengths nobody stated (their sums are 0). Sums are those of rollup_10s.sql.
WITH matching AS (
    SELECT epoch_us(arrived_utc) AS arrived_us,
           prompt_tok IS NOT NULL AND output_tok IS NOT NULL
               AND NOT (status IS NOT NULL AND status = 'rate_limited' AND output_tok = 0) AS has_tok,
           CAST(prompt_tok AS DOUBLE) AS prompt_tok,
           CAST(cached_prompt_tok AS DOUBLE) AS cached_prompt_tok,
           CAST(output_tok AS DOUBLE) AS output_tok
    FROM requests
    WHERE source_label = coalesce($label, source_label)
        AND ($model IS NULL OR model = $model)
        AND ($region IS NULL OR region = $region)
        AND ($team IS NULL OR team = $team)
        AND (status IS NULL OR status NOT IN ('client_error', 'server_error'))
        AND arrived_utc >= $since AND arrived_utc < $until
), banded AS (
    SELECT arrived_us - arrived_us % $window_us AS window_us,
           CASE WHEN has_tok THEN len(list_filter(CAST($above_tok AS BIGINT[]), lambda t: prompt_tok + output_tok > t))
           END AS band,
           CASE WHEN has_tok THEN prompt_tok END AS prompt_tok,
           CASE WHEN has_tok THEN cached_prompt_tok END AS cached_prompt_tok,
           CASE WHEN has_tok THEN output_tok END AS output_tok
    FROM matching
)
SELECT make_timestamp(window_us) AS window_utc, band,
       CAST(count(*) AS DOUBLE) AS requests,
       CAST(count(cached_prompt_tok) AS DOUBLE) AS cached_known_requests,
       coalesce(sum(prompt_tok), 0) AS prompt_tok_sum,
       coalesce(sum(cached_prompt_tok), 0) AS cached_prompt_tok_sum,
       coalesce(sum(output_tok), 0) AS output_tok_sum,
       coalesce(sum(prompt_tok * prompt_tok), 0) AS prompt_tok_sq_sum,
       coalesce(sum(cached_prompt_tok * cached_prompt_tok), 0) AS cached_prompt_tok_sq_sum,
       coalesce(sum(prompt_tok * cached_prompt_tok), 0) AS prompt_cached_sum,
       coalesce(sum(prompt_tok * output_tok), 0) AS prompt_output_sum,
       coalesce(sum(output_tok * output_tok), 0) AS output_tok_sq_sum
FROM banded
GROUP BY window_us, band
ORDER BY window_us, band
