-- One row per client and slot as ServeGen states it, and why it cannot be used (reason; NULL where it can).
SELECT line, client_id, t_s, rate_rps, iat_cv,
       CASE
           WHEN TRY_CAST(t_s AS BIGINT) IS NULL THEN 't_s is missing or not a whole number'
           WHEN t_s < 0 OR t_s % $slot_s <> 0 THEN 't_s is not the start of a slot'
           WHEN rate_rps IS NULL OR NOT isfinite(rate_rps) THEN 'rate_rps is missing or not a number'
           WHEN rate_rps < 0 THEN 'rate_rps is negative'
       END AS reason,
       't_s=' || coalesce(CAST(t_s AS VARCHAR), '') || ', rate_rps=' || coalesce(CAST(rate_rps AS VARCHAR), '')
           AS excerpt
FROM stated
