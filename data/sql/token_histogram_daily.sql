-- One row per UTC day, key, field and fine (1%) bucket of its length.
WITH lengths AS (
    SELECT arrived_us, source_label, model, region, team, category, status_class,
           'prompt' AS field, prompt_tok AS tok FROM rollup_requests
    UNION ALL
    SELECT arrived_us, source_label, model, region, team, category, status_class,
           'cached' AS field, cached_prompt_tok AS tok FROM rollup_requests
    UNION ALL
    SELECT arrived_us, source_label, model, region, team, category, status_class,
           'output' AS field, output_tok AS tok FROM rollup_requests
)
SELECT CAST(make_timestamptz(day_us) AS DATE) AS day_utc,
       source_label, model, region, team, category, status_class, field, bucket, requests
FROM (
    SELECT arrived_us - arrived_us % 86400000000 AS day_us,
           source_label, model, region, team, category, status_class, field,
           token_bucket.fine_bucket AS bucket, count(*) AS requests
    FROM lengths
    JOIN token_bucket ON token_bucket.tok = lengths.tok
    GROUP BY day_us, source_label, model, region, team, category, status_class, field, bucket
) AS counted
