-- One row per window and field: statistics as given; where the prompt comes in parts (text, image), the parts and a
-- prompt whose mean is their sum and whose percentiles nobody stated.
WITH named AS (
    SELECT $start_utc + to_seconds(t_s) AS window_utc, window_s, model,
           CASE field
               WHEN 'input_tokens' THEN 'prompt'
               WHEN 'output_tokens' THEN 'output'
               ELSE regexp_replace(field, '_tokens$', '')
           END AS field,
           requests, mean_tok, p50_tok, p90_tok, p95_tok, p99_tok
    FROM servegen_token
    WHERE reason IS NULL
)
SELECT window_utc, window_s, model, field, requests, mean_tok, p50_tok, p90_tok, p95_tok, p99_tok
FROM named
UNION ALL
SELECT window_utc, window_s, model, 'prompt' AS field, max(requests), sum(mean_tok ORDER BY field),
       NULL, NULL, NULL, NULL
FROM named
WHERE field IN ('text', 'image', 'audio', 'video')
GROUP BY window_utc, window_s, model
ORDER BY window_utc, field
