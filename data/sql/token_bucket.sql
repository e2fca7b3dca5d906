-- One row per length that occurs in the days being rolled up: its bucket in the fine and in the coarse grid.
-- Every histogram joins this on equal lengths, so that no engine's logarithm decides.
WITH lengths AS (
    SELECT prompt_tok AS tok FROM rollup_requests WHERE prompt_tok IS NOT NULL
    UNION
    SELECT cached_prompt_tok AS tok FROM rollup_requests WHERE cached_prompt_tok IS NOT NULL
    UNION
    SELECT output_tok AS tok FROM rollup_requests WHERE output_tok IS NOT NULL
), fine AS (
    SELECT tok, bucket
    FROM lengths CROSS JOIN bucket_edge
    WHERE grid = 'fine' AND tok > above_tok AND tok <= upto_tok
), coarse AS (
    SELECT tok, bucket
    FROM lengths CROSS JOIN bucket_edge
    WHERE grid = 'coarse' AND tok > above_tok AND tok <= upto_tok
)
SELECT fine.tok AS tok, fine.bucket AS fine_bucket, coarse.bucket AS coarse_bucket
FROM fine
JOIN coarse ON coarse.tok = fine.tok
