-- The first row of a table of one's own that is no bill: its line, what must hold, and the value that does not.
SELECT line, fault, value FROM (
    SELECT line, CASE
            WHEN TRY_CAST(day AS DATE) IS NULL THEN 'day must be a date such as 2026-11-23'
            WHEN TRY_CAST(usd AS DECIMAL(24, 10)) IS NULL THEN 'usd must be a number'
            WHEN gpu_hours IS NOT NULL AND NOT coalesce(TRY_CAST(gpu_hours AS DOUBLE) >= 0, false)
                THEN 'gpu_hours must be a number of 0 or more'
        END AS fault,
        CASE
            WHEN TRY_CAST(day AS DATE) IS NULL THEN day
            WHEN TRY_CAST(usd AS DECIMAL(24, 10)) IS NULL THEN usd
            ELSE gpu_hours
        END AS value
    FROM stated_spend
)
WHERE fault IS NOT NULL
ORDER BY line
LIMIT 1
