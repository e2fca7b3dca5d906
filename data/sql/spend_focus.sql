-- One row per charge of a FOCUS file (stated_spend): half-open days, costs as billed and amortised.
SELECT $file AS file_id,
       CAST(CAST("ChargePeriodStart" AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS DATE) AS day_utc,
       -- A charge of an hour is of its day; one that ends at midnight does not reach the next.
       greatest(
           CAST((CAST("ChargePeriodEnd" AS TIMESTAMPTZ) AT TIME ZONE 'UTC') - INTERVAL 1 MICROSECOND AS DATE),
           CAST(CAST("ChargePeriodStart" AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS DATE)
       ) + 1 AS until_utc,
       "ProviderName" AS provider, "ServiceName" AS label, "x_Gpu" AS gpu, "x_Workload" AS workload,
       coalesce("x_Team", CASE WHEN json_valid("Tags") THEN json_extract_string("Tags", '$.team') END) AS team,
       CASE WHEN json_valid("Tags") THEN "Tags" END AS tags,
       CASE WHEN lower("ConsumedUnit") IN ('gpu-hours', 'gpu hours', 'gpu-hour', 'gpu hour')
           THEN TRY_CAST("ConsumedQuantity" AS DOUBLE) END AS gpu_hours,
       CAST("BilledCost" AS DECIMAL(24, 10)) AS billed_usd,
       CAST("EffectiveCost" AS DECIMAL(24, 10)) AS effective_usd
FROM stated_spend
