-- The first row of a FOCUS file that is no bill: its line, what must hold, and the value that does not.
SELECT line, fault, value FROM (
    SELECT line, CASE
            WHEN "x_RecordType" IS NOT NULL THEN 'x_RecordType marks a plan of ours, and only bills are actuals'
            WHEN TRY_CAST("BilledCost" AS DECIMAL(24, 10)) IS NULL THEN 'BilledCost must be a number'
            WHEN TRY_CAST("EffectiveCost" AS DECIMAL(24, 10)) IS NULL THEN 'EffectiveCost must be a number'
            WHEN "BillingCurrency" IS DISTINCT FROM 'USD' THEN 'BillingCurrency must be USD'
            WHEN TRY_CAST("ChargePeriodStart" AS TIMESTAMPTZ) IS NULL THEN 'ChargePeriodStart must be a time'
            WHEN TRY_CAST("ChargePeriodEnd" AS TIMESTAMPTZ) IS NULL THEN 'ChargePeriodEnd must be a time'
            WHEN TRY_CAST("ChargePeriodEnd" AS TIMESTAMPTZ) < TRY_CAST("ChargePeriodStart" AS TIMESTAMPTZ)
                THEN 'ChargePeriodEnd must not lie before ChargePeriodStart'
        END AS fault,
        CASE
            WHEN "x_RecordType" IS NOT NULL THEN "x_RecordType"
            WHEN TRY_CAST("BilledCost" AS DECIMAL(24, 10)) IS NULL THEN "BilledCost"
            WHEN TRY_CAST("EffectiveCost" AS DECIMAL(24, 10)) IS NULL THEN "EffectiveCost"
            WHEN "BillingCurrency" IS DISTINCT FROM 'USD' THEN "BillingCurrency"
            WHEN TRY_CAST("ChargePeriodStart" AS TIMESTAMPTZ) IS NULL THEN "ChargePeriodStart"
            ELSE "ChargePeriodEnd"
        END AS value
    FROM stated_spend
)
WHERE fault IS NOT NULL
ORDER BY line
LIMIT 1
