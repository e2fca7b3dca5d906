-- One row per request of `usable_requests`: rows of one label, UTC day and request id are one request, and the first
-- counts, by file and then by time. Rows without an id are never each other's duplicates.
WITH repeated AS (
    SELECT source_label AS label, day_us AS day, request_id AS id
    FROM usable_requests
    WHERE request_id IS NOT NULL
    GROUP BY source_label, day_us, request_id
    HAVING count(*) > 1
), ranked AS (
    SELECT arrived_utc, source_label, model, region, team, category, status,
           prompt_tok, cached_prompt_tok, output_tok,
           row_number() OVER (
               PARTITION BY source_label, day_us, request_id
               ORDER BY file_order, arrived_us, prompt_tok, output_tok, cached_prompt_tok,
                   status, model, region, team, category
           ) AS nth
    FROM usable_requests
    JOIN repeated ON source_label = label AND day_us = day AND request_id = id
)
SELECT arrived_utc, source_label, model, region, team, category, status, prompt_tok, cached_prompt_tok, output_tok
FROM usable_requests
LEFT JOIN repeated ON source_label = label AND day_us = day AND request_id = id
WHERE id IS NULL
UNION ALL
SELECT arrived_utc, source_label, model, region, team, category, status, prompt_tok, cached_prompt_tok, output_tok
FROM ranked
WHERE nth = 1
