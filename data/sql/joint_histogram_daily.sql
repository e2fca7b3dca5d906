-- One row per UTC day, key and pair of coarse (10%) buckets of prompt and output length.
SELECT CAST(make_timestamptz(day_us) AS DATE) AS day_utc,
       source_label, model, region, team, category, status_class, prompt_bucket, output_bucket, requests
FROM (
    SELECT arrived_us - arrived_us % 86400000000 AS day_us,
           source_label, model, region, team, category, status_class,
           prompt.coarse_bucket AS prompt_bucket, output.coarse_bucket AS output_bucket, count(*) AS requests
    FROM rollup_requests
    JOIN token_bucket AS prompt ON prompt.tok = rollup_requests.prompt_tok
    JOIN token_bucket AS output ON output.tok = rollup_requests.output_tok
    GROUP BY day_us, source_label, model, region, team, category, status_class, prompt_bucket, output_bucket
) AS counted
