-- One row per calendar month, provider and thing that was billed; a charge over several days is spread evenly.
WITH days AS (
    SELECT spend_actual.*, until_utc - day_utc AS days, unnest(range(0, until_utc - day_utc)) AS nth FROM spend_actual
)
SELECT strftime(day_utc + CAST(nth AS INTEGER), '%Y-%m') AS month, provider, coalesce(gpu, label) AS what,
       -- The cents of a charge stay whole: its last day takes what dividing lost.
       sum(CASE WHEN nth < days - 1 THEN round(billed_usd / days, 10)
                ELSE billed_usd - (days - 1) * round(billed_usd / days, 10) END)::DECIMAL(24, 10) AS billed_usd,
       sum(CASE WHEN nth < days - 1 THEN round(effective_usd / days, 10)
                ELSE effective_usd - (days - 1) * round(effective_usd / days, 10) END)::DECIMAL(24, 10)
           AS effective_usd,
       sum(gpu_hours / days) AS gpu_hours
FROM days
GROUP BY month, provider, what
ORDER BY month, provider NULLS LAST, what NULLS LAST
