-- One row per workload that bills name (NULL = none): what the days since..until take of them, amortised.
WITH days AS (
    SELECT workload, day_utc + CAST(unnest(range(0, until_utc - day_utc)) AS INTEGER) AS day,
           effective_usd / (until_utc - day_utc) AS usd
    FROM spend_actual
)
SELECT workload, sum(usd) AS usd
FROM days
WHERE day >= $since AND day < $until
GROUP BY workload
ORDER BY workload NULLS LAST
