-- One row per window and field as ServeGen states it, and why it cannot be used (reason; NULL where it can).
WITH typed AS (
    SELECT line, malformed, model, field,
           TRY_CAST(t_s AS BIGINT) AS t_s, TRY_CAST(window_s AS INTEGER) AS window_s,
           TRY_CAST(requests AS DOUBLE) AS requests, TRY_CAST(mean AS DOUBLE) AS mean_tok,
           TRY_CAST(p50 AS DOUBLE) AS p50_tok, TRY_CAST(p90 AS DOUBLE) AS p90_tok,
           TRY_CAST(p95 AS DOUBLE) AS p95_tok, TRY_CAST(p99 AS DOUBLE) AS p99_tok,
           (p50 IS NOT NULL AND TRY_CAST(p50 AS DOUBLE) IS NULL)
               OR (p90 IS NOT NULL AND TRY_CAST(p90 AS DOUBLE) IS NULL)
               OR (p95 IS NOT NULL AND TRY_CAST(p95 AS DOUBLE) IS NULL)
               OR (p99 IS NOT NULL AND TRY_CAST(p99 AS DOUBLE) IS NULL) AS unreadable,
           concat_ws(',', t_s, window_s, field, requests, mean, p50, p90, p95, p99) AS excerpt
    FROM stated
)
SELECT *,
       CASE
           WHEN malformed IS NOT NULL THEN malformed
           WHEN t_s IS NULL OR t_s < 0 THEN 't_s is missing or no time'
           WHEN window_s IS NULL OR window_s <= 0 THEN 'window_s is missing or no length of time'
           WHEN field IS NULL THEN 'field is missing'
           WHEN requests IS NULL OR NOT requests >= 0 THEN 'requests is missing or negative'
           WHEN mean_tok IS NULL OR NOT mean_tok BETWEEN 0 AND $max_tok THEN 'mean is missing or out of range'
           WHEN unreadable THEN 'a percentile is not a number'
           WHEN p50_tok < 0 OR p90_tok < p50_tok OR p95_tok < p90_tok OR p99_tok < p95_tok
               THEN 'percentiles are negative or not in order'
       END AS reason
FROM typed
