-- One row per source label: what kind it is, what it holds, and from when to when.
WITH slices AS (
    SELECT source_label, count(DISTINCT day_utc) AS days, sum(slice_manifest.size_bytes) AS size_bytes
    FROM slice_manifest JOIN file_manifest USING (file_id)
    WHERE status = 'done'
    GROUP BY source_label
), sums AS (
    SELECT source_label, count(DISTINCT CAST(bucket_utc AS DATE)) AS days FROM usage_bucket GROUP BY source_label
), rollups AS (
    SELECT source_label, count(DISTINCT CAST(minute_utc AS DATE)) AS days FROM rollup_minute GROUP BY source_label
), files AS (
    SELECT source_label, count(*) AS files, CAST(sum(rows_new) AS BIGINT) AS rows,
           CAST(sum(rows_duplicate) AS BIGINT) AS duplicates, CAST(sum(rows_rejected) AS BIGINT) AS rejected,
           min(first_utc) AS first_utc, max(last_utc) AS last_utc
    FROM file_manifest
    WHERE status = 'done'
    GROUP BY source_label
)
SELECT files.source_label AS label,
       CASE
           WHEN slices.days IS NOT NULL THEN 'requests'
           WHEN sums.days IS NOT NULL THEN 'sums'
           WHEN rollups.days IS NOT NULL THEN 'rollups'
           ELSE 'nothing'
       END AS kind,
       files, coalesce(slices.days, sums.days, rollups.days, 0) AS days, rows, duplicates, rejected,
       CAST(coalesce(slices.size_bytes, 0) AS BIGINT) AS size_bytes, first_utc, last_utc
FROM files
LEFT JOIN slices USING (source_label)
LEFT JOIN sums USING (source_label)
LEFT JOIN rollups USING (source_label)
ORDER BY label
