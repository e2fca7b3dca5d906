-- One row per row of `canonical_requests` that the store would accept, its words as the store writes them.
WITH cleaned AS (
    SELECT source_label, file_order, epoch_us(arrived_utc) AS arrived_us, arrived_utc,
           nullif(trim(request_id), '') AS request_id,
           nullif(trim(model), '') AS model, nullif(trim(region), '') AS region, nullif(trim(team), '') AS team,
           nullif(trim(category), '') AS category,
           CASE
               WHEN nullif(trim(status), '') IS NULL THEN NULL
               WHEN trim(status) IN ('ok', 'rate_limited', 'client_error', 'server_error', 'cancelled')
                   THEN trim(status)
               WHEN trim(status) LIKE '2__' OR lower(trim(status)) IN ('success', 'succeeded', 'completed') THEN 'ok'
               WHEN trim(status) = '429' THEN 'rate_limited'
               WHEN trim(status) = '499' OR lower(trim(status)) = 'canceled' THEN 'cancelled'
               WHEN trim(status) LIKE '4__' THEN 'client_error'
               WHEN trim(status) LIKE '5__' THEN 'server_error'
               ELSE 'unknown'
           END AS status,
           prompt_tok, cached_prompt_tok, output_tok, reasoning_tok
    FROM canonical_requests
)
SELECT source_label, file_order, arrived_us - arrived_us % 86400000000 AS day_us, arrived_us, arrived_utc,
       request_id, model, region, team, category, status, prompt_tok, cached_prompt_tok, output_tok
FROM cleaned
WHERE source_label IS NOT NULL
    AND arrived_us >= 946684800000000 AND arrived_us < 4133980800000000
    AND coalesce(prompt_tok, 0) BETWEEN 0 AND $max_tok
    AND coalesce(output_tok, 0) BETWEEN 0 AND $max_tok
    AND coalesce(cached_prompt_tok, 0) >= 0
    AND coalesce(reasoning_tok, 0) >= 0
    AND (reasoning_tok IS NULL OR output_tok IS NULL OR reasoning_tok <= output_tok)
    AND (cached_prompt_tok IS NULL OR prompt_tok IS NULL OR cached_prompt_tok <= prompt_tok)
    AND coalesce(category, 'online') IN ('online', 'batch', 'scheduled')
