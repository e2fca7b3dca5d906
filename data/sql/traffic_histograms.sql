-- One row per UTC day, field and fine bucket: matching requests served or throttled, of known length.
SELECT day_utc, field, bucket, CAST(sum(requests) AS DOUBLE) AS requests
FROM token_histogram_daily
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND status_class <> 'failed'
    AND day_utc >= CAST($since AS DATE) AND day_utc < CAST($until AS DATE)
GROUP BY day_utc, field, bucket
ORDER BY day_utc, field, bucket
