-- One row per whole length (prompt + output tokens) of the matching requests that state both: how many have it.
-- Failed requests, and throttled ones that state no answer, did no work and count nowhere.
SELECT prompt_tok + output_tok AS request_tok, count(*) AS requests
FROM requests
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND (status IS NULL OR status NOT IN ('client_error', 'server_error'))
    AND NOT (status IS NOT NULL AND status = 'rate_limited' AND output_tok = 0)
    AND prompt_tok IS NOT NULL AND output_tok IS NOT NULL
    AND arrived_utc >= $since AND arrived_utc < $until
GROUP BY request_tok
ORDER BY request_tok
