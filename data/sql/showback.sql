-- One row per key and price tier of a workload's served requests: sums from which work and list price follow.
SELECT CASE $by
           WHEN 'team' THEN team
           WHEN 'region' THEN region
           WHEN 'model' THEN model
           ELSE CASE WHEN json_valid(tags) THEN json_extract_string(tags, $tag) END
       END AS key,
       len(list_filter($thresholds, lambda t: prompt_tok > t)) AS tier,
       count(*) AS requests,
       coalesce(sum(prompt_tok), 0) AS prompt_tok_sum,
       coalesce(sum(coalesce(cached_prompt_tok, 0)), 0) AS cached_prompt_tok_sum,
       coalesce(sum(output_tok), 0) AS output_tok_sum,
       coalesce(sum(CAST(prompt_tok AS DOUBLE) * prompt_tok), 0) AS prompt_tok_sq_sum,
       coalesce(sum(CAST(cached_prompt_tok AS DOUBLE) * cached_prompt_tok), 0) AS cached_prompt_tok_sq_sum,
       coalesce(sum(CAST(prompt_tok AS DOUBLE) * cached_prompt_tok), 0) AS prompt_cached_sum,
       coalesce(sum(CAST(prompt_tok AS DOUBLE) * output_tok), 0) AS prompt_output_sum,
       coalesce(sum(CAST(output_tok AS DOUBLE) * output_tok), 0) AS output_tok_sq_sum
FROM requests
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND arrived_utc >= $since AND arrived_utc < $until
    AND coalesce(status, 'ok') NOT IN ('rate_limited', 'client_error', 'server_error')
GROUP BY key, tier
ORDER BY key NULLS LAST, tier
