-- One row per score that is kept of the runs $runs, as far as it was known before $as_of.
SELECT run_id, as_of, workload, quantity, from_day, to_day, through, days, event_days, outage_days, actual_mean,
       error, bias, coverage_80, pinball, naive_pinball
FROM forecast_score
WHERE list_contains($runs, run_id) AND through < $as_of
ORDER BY as_of, workload, quantity, from_day
