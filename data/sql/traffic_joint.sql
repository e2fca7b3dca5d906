-- One row per pair of coarse buckets of prompt and output: matching requests served or throttled.
SELECT prompt_bucket, output_bucket, CAST(sum(requests) AS DOUBLE) AS requests
FROM joint_histogram_daily
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND status_class <> 'failed'
    AND day_utc >= CAST($since AS DATE) AND day_utc < CAST($until AS DATE)
GROUP BY prompt_bucket, output_bucket
ORDER BY prompt_bucket, output_bucket
