-- One row per earlier plan's day and workload: the newest run of that day that was published with a forecast of it.
SELECT recorded.as_of, recorded.workload, arg_max(recorded.run_id, run.revision) AS run_id,
       arg_max(run.input_digest, run.revision) AS input_digest
FROM (SELECT DISTINCT run_id, as_of, workload FROM forecast_record WHERE as_of < $as_of) AS recorded
JOIN run ON run.run_id = recorded.run_id AND run.kind = 'plan' AND run.status = 'done'
GROUP BY recorded.as_of, recorded.workload
ORDER BY recorded.as_of, recorded.workload
