-- One row per day and quantity that the runs $runs forecast, for the days before $as_of.
SELECT run_id, as_of, workload, quantity, day_utc, mean, q10, q50, q90
FROM forecast_record
WHERE list_contains($runs, run_id) AND day_utc < $as_of
ORDER BY as_of, workload, quantity, day_utc
