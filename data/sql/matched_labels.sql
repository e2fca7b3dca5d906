-- One row per source label that holds matching traffic in the half-open window, with what kind of source it is.
SELECT DISTINCT source_label, 'requests' AS source_kind
FROM rollup_minute
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND minute_utc >= $since AND minute_utc < $until
UNION
SELECT DISTINCT source_label, 'aggregates' AS source_kind
FROM usage_traffic
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND bucket_utc >= $since AND bucket_utc < $until
ORDER BY source_label, source_kind
