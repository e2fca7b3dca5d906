-- One row per window and field of the matching sources: the statistics that they state.
SELECT window_utc, window_s, field, requests, mean_tok, p50_tok, p90_tok, p95_tok, p99_tok
FROM usage_percentile
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND window_utc >= $since AND window_utc < $until
ORDER BY window_utc, field, requests
