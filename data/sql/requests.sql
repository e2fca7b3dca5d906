-- One row per stored request: every slice of the lake without its duplicates. $lake_files is set on opening.
CREATE OR REPLACE TEMP VIEW requests AS
SELECT request_id, arrived_utc, source_label, model, region, team, tags, category,
       prompt_tok, cached_prompt_tok, output_tok, reasoning_tok, first_token_s, duration_s, status, cost_usd
FROM read_parquet(getvariable('lake_files'))
WHERE NOT is_duplicate
