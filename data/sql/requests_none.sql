-- The view of an empty store: no rows, the same columns.
CREATE OR REPLACE TEMP VIEW requests AS
SELECT CAST(NULL AS VARCHAR) AS request_id, CAST(NULL AS TIMESTAMPTZ) AS arrived_utc,
       CAST(NULL AS VARCHAR) AS source_label, CAST(NULL AS VARCHAR) AS model, CAST(NULL AS VARCHAR) AS region,
       CAST(NULL AS VARCHAR) AS team, CAST(NULL AS VARCHAR) AS tags, CAST(NULL AS VARCHAR) AS category,
       CAST(NULL AS BIGINT) AS prompt_tok, CAST(NULL AS BIGINT) AS cached_prompt_tok,
       CAST(NULL AS BIGINT) AS output_tok, CAST(NULL AS BIGINT) AS reasoning_tok,
       CAST(NULL AS DOUBLE) AS first_token_s, CAST(NULL AS DOUBLE) AS duration_s,
       CAST(NULL AS VARCHAR) AS status, CAST(NULL AS DOUBLE) AS cost_usd
WHERE false
