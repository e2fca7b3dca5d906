-- One row per day and quantity that the runs $runs forecast, before $as_of; none of a year that is scored whole.
WITH finished AS (
    SELECT run_id, workload FROM forecast_score
    WHERE quantity = 'requests'
    GROUP BY run_id, workload
    HAVING max(through) >= max(as_of) + INTERVAL 364 DAY AND max(through) < $as_of
)
SELECT run_id, as_of, workload, quantity, day_utc, mean, q10, q50, q90
FROM forecast_record ANTI JOIN finished USING (run_id, workload)
WHERE list_contains($runs, run_id) AND day_utc < $as_of
ORDER BY as_of, workload, quantity, day_utc
