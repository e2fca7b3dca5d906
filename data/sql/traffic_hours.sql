-- One row per UTC hour with matching requests, served or throttled.
SELECT date_trunc('hour', minute_utc) AS hour_utc, CAST(sum(requests) AS DOUBLE) AS requests
FROM rollup_minute
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND status_class <> 'failed'
    AND minute_utc >= $since AND minute_utc < $until
GROUP BY hour_utc
ORDER BY hour_utc
