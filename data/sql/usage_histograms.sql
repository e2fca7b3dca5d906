-- One row per window, field and step of the matching histograms, all keys together.
SELECT window_utc, window_s, field, above, upto, sum(requests) AS requests
FROM usage_histogram
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND window_utc >= $since AND window_utc < $until
GROUP BY window_utc, window_s, field, above, upto
ORDER BY field, window_utc, upto
