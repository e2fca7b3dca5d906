-- One row per forecast day of one workload in one run: what its expected requests and tokens are made of.
SELECT day_utc, base, growth, events, total_tok, event_tok
FROM forecast_part
WHERE run_id = $run_id AND workload = $workload
ORDER BY day_utc
