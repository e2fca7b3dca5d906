-- One row per source label: its span and what it holds.
SELECT source_label, min(first_utc) AS first_utc, max(last_utc) AS last_utc, count(*) AS files
FROM file_manifest
WHERE status = 'done'
GROUP BY source_label
ORDER BY source_label
