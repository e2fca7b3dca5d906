-- One row per UTC day on which these sources have any record at all; a day without one is a gap.
SELECT CAST(minute_utc AS DATE) AS day_utc
FROM rollup_minute
WHERE list_contains($labels, source_label) AND minute_utc >= $since AND minute_utc < $until
UNION
SELECT CAST(bucket_utc AS DATE) AS day_utc
FROM usage_traffic
WHERE list_contains($labels, source_label) AND bucket_utc >= $since AND bucket_utc < $until
ORDER BY day_utc
