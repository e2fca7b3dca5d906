-- One row per charge of a table of one's own (stated_spend): one day each, billed as it is amortised.
SELECT $file AS file_id, CAST(day AS DATE) AS day_utc, CAST(day AS DATE) + 1 AS until_utc,
       provider, label, gpu, workload, team, NULL::VARCHAR AS tags,
       CAST(gpu_hours AS DOUBLE) AS gpu_hours,
       CAST(usd AS DECIMAL(24, 10)) AS billed_usd, CAST(usd AS DECIMAL(24, 10)) AS effective_usd
FROM stated_spend
