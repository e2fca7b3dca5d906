-- One row per length that occurs in the days being rolled up: its bucket in the fine and in the coarse grid.
-- Every histogram joins this on equal lengths, so that no engine's logarithm decides.
WITH lengths AS (
    SELECT prompt_tok AS tok FROM rollup_requests WHERE prompt_tok IS NOT NULL
    UNION
    SELECT cached_prompt_tok AS tok FROM rollup_requests WHERE cached_prompt_tok IS NOT NULL
    UNION
    SELECT output_tok AS tok FROM rollup_requests WHERE output_tok IS NOT NULL
)
SELECT lengths.tok, fine.bucket AS fine_bucket, coarse.bucket AS coarse_bucket
FROM lengths
JOIN bucket_edge AS fine
    ON fine.grid = 'fine' AND lengths.tok > fine.above_tok AND lengths.tok <= fine.upto_tok
JOIN bucket_edge AS coarse
    ON coarse.grid = 'coarse' AND lengths.tok > coarse.above_tok AND lengths.tok <= coarse.upto_tok
