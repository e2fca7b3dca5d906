-- One row per stored request of the days being rolled up: their slices ($rollup_files) without duplicates.
CREATE OR REPLACE TEMP VIEW rollup_source AS
SELECT arrived_utc, source_label, model, region, team, category, status, prompt_tok, cached_prompt_tok, output_tok
FROM read_parquet(getvariable('rollup_files'))
WHERE NOT is_duplicate
