-- One row per stored request of a workload that was served or throttled, in order of arrival; NULL = not stated.
SELECT epoch_us(arrived_utc) AS arrived_us, category, prompt_tok, cached_prompt_tok, output_tok
FROM requests
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND arrived_utc >= $since AND arrived_utc < $until
    AND coalesce(status, 'ok') NOT IN ('client_error', 'server_error')
ORDER BY arrived_us, prompt_tok, output_tok, cached_prompt_tok, category
