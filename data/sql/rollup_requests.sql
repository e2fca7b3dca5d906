-- One row per request of `rollup_source`, with what every rollup counts by.
-- Lengths count only where prompt and output are both known; a throttled request did no work, so its 0 is unknown.
WITH classed AS (
    SELECT epoch_us(arrived_utc) AS arrived_us, source_label, model, region, team, category,
           CASE
               WHEN status = 'rate_limited' THEN 'throttled'
               WHEN status IN ('client_error', 'server_error') THEN 'failed'
               ELSE 'served'
           END AS status_class,
           prompt_tok, cached_prompt_tok, output_tok
    FROM rollup_source
), judged AS (
    SELECT *,
           prompt_tok IS NOT NULL AND output_tok IS NOT NULL
               AND NOT (status_class = 'throttled' AND output_tok = 0) AS has_tok
    FROM classed
)
SELECT arrived_us, source_label, model, region, team, category, status_class,
       CASE WHEN has_tok THEN prompt_tok END AS prompt_tok,
       CASE WHEN has_tok THEN cached_prompt_tok END AS cached_prompt_tok,
       CASE WHEN has_tok THEN output_tok END AS output_tok
FROM judged
