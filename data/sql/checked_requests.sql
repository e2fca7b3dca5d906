-- One row per row of a log: its canonical fields typed, and why it cannot be used (reason; NULL where it can) or is
-- no request at all (skipped; NULL where it is one).
-- `stated` holds what the source says, as text or in its own types; stated_row is what was read, for the excerpt.
WITH typed AS (
    SELECT line, malformed, CASE WHEN malformed IS NULL THEN CAST(skipped AS VARCHAR) END AS skipped, stated_row,
           CAST(request_id AS VARCHAR) AS request_id,
           TRY_CAST(arrived_utc AS TIMESTAMPTZ) AS arrived_utc,
           CAST(model AS VARCHAR) AS model, CAST(region AS VARCHAR) AS region, CAST(team AS VARCHAR) AS team,
           CAST(tags AS VARCHAR) AS tags, CAST(category AS VARCHAR) AS category,
           TRY_CAST(prompt_tok AS BIGINT) AS prompt_tok,
           TRY_CAST(cached_prompt_tok AS BIGINT) AS cached_prompt_tok,
           TRY_CAST(output_tok AS BIGINT) AS output_tok,
           TRY_CAST(reasoning_tok AS BIGINT) AS reasoning_tok,
           TRY_CAST(first_token_s AS DOUBLE) AS first_token_s,
           TRY_CAST(duration_s AS DOUBLE) AS duration_s,
           CAST(status AS VARCHAR) AS status,
           TRY_CAST(cost_usd AS DOUBLE) AS cost_usd,
           -- A fraction of a token, or text that is no number: said, but not a count.
           prompt_tok IS NOT NULL
               AND coalesce(TRY_CAST(prompt_tok AS DOUBLE) <> TRY_CAST(prompt_tok AS BIGINT), true) AS bad_prompt,
           cached_prompt_tok IS NOT NULL
               AND coalesce(TRY_CAST(cached_prompt_tok AS DOUBLE) <> TRY_CAST(cached_prompt_tok AS BIGINT), true)
               AS bad_cached,
           output_tok IS NOT NULL
               AND coalesce(TRY_CAST(output_tok AS DOUBLE) <> TRY_CAST(output_tok AS BIGINT), true) AS bad_output,
           reasoning_tok IS NOT NULL
               AND coalesce(TRY_CAST(reasoning_tok AS DOUBLE) <> TRY_CAST(reasoning_tok AS BIGINT), true)
               AS bad_reasoning
    FROM stated
), judged AS (
    SELECT *,
           CASE
               WHEN malformed IS NOT NULL THEN malformed
               WHEN skipped IS NOT NULL THEN NULL
               WHEN arrived_utc IS NULL THEN 'the time is missing or cannot be read'
               WHEN arrived_utc < TIMESTAMPTZ '2000-01-01 00:00:00+00'
                   OR arrived_utc >= TIMESTAMPTZ '2101-01-01 00:00:00+00'
                   THEN 'the time lies outside the years 2000 to 2100'
               WHEN arrived_utc > $latest_utc THEN 'the time lies in the future, more than a day from now'
               WHEN bad_prompt THEN 'prompt_tok is not a whole number'
               WHEN bad_output THEN 'output_tok is not a whole number'
               WHEN bad_cached THEN 'cached_prompt_tok is not a whole number'
               WHEN bad_reasoning THEN 'reasoning_tok is not a whole number'
               WHEN prompt_tok IS NULL AND $needs_prompt THEN 'prompt_tok is missing'
               WHEN output_tok IS NULL AND $needs_output THEN 'output_tok is missing'
               WHEN prompt_tok < 0 THEN 'prompt_tok is negative'
               WHEN output_tok < 0 THEN 'output_tok is negative'
               WHEN cached_prompt_tok < 0 THEN 'cached_prompt_tok is negative'
               WHEN reasoning_tok < 0 THEN 'reasoning_tok is negative'
               WHEN greatest(prompt_tok, output_tok) > $max_tok THEN 'more tokens than any request has'
               WHEN cached_prompt_tok > prompt_tok
                   THEN 'cached_prompt_tok is above prompt_tok (cached tokens stated exclusive?)'
               WHEN reasoning_tok > output_tok
                   THEN 'reasoning_tok is above output_tok (reasoning stated beside the output?)'
               WHEN contains(request_id, chr(0)) OR contains(model, chr(0)) OR contains(region, chr(0))
                   OR contains(team, chr(0)) OR contains(tags, chr(0)) OR contains(status, chr(0))
                   THEN 'a name is not UTF-8 text, or has a NUL byte in it'
               WHEN category NOT IN ('online', 'batch', 'scheduled')
                   THEN 'category is not online, batch or scheduled'
           END AS reason
    FROM typed
)
SELECT line, request_id, arrived_utc, $source_label AS source_label, model, region, team, tags, category,
       prompt_tok, cached_prompt_tok, output_tok, reasoning_tok,
       CASE WHEN first_token_s >= 0 AND isfinite(first_token_s) THEN first_token_s END AS first_token_s,
       CASE WHEN duration_s >= 0 AND isfinite(duration_s) THEN duration_s END AS duration_s,
       CASE
           WHEN status IS NULL OR status IN ('ok', 'rate_limited', 'client_error', 'server_error', 'cancelled')
               THEN status
           WHEN status LIKE '2__' OR lower(status) IN ('success', 'succeeded', 'completed') THEN 'ok'
           WHEN status = '429' THEN 'rate_limited'
           WHEN status = '499' OR lower(status) = 'canceled' THEN 'cancelled'
           WHEN status LIKE '4__' THEN 'client_error'
           WHEN status LIKE '5__' THEN 'server_error'
           ELSE 'unknown'
       END AS status,
       CASE WHEN cost_usd >= 0 AND isfinite(cost_usd) THEN cost_usd END AS cost_usd,
       reason, skipped,
       CASE WHEN reason IS NOT NULL THEN left(CAST(to_json(stated_row) AS VARCHAR), 200) END AS excerpt
FROM judged
