-- One row per row of sums as a source states it: typed, and why it cannot be used (reason; NULL where it can).
-- `stated` holds what the source says, as text or in its own types; identity tells rows of one window apart, NULL
-- where rows cannot be told apart; skipped says why a
-- row is not about requests to a model.
WITH typed AS (
    SELECT line, malformed, stated_row, identity, CAST(skipped AS VARCHAR) AS skipped,
           TRY_CAST(window_utc AS TIMESTAMPTZ) AS bucket_utc, TRY_CAST(window_s AS DOUBLE) AS bucket_s,
           CAST(model AS VARCHAR) AS model, CAST(region AS VARCHAR) AS region, CAST(team AS VARCHAR) AS team,
           CAST(category AS VARCHAR) AS category,
           TRY_CAST(requests AS DOUBLE) AS requests, TRY_CAST(throttled_requests AS DOUBLE) AS throttled_requests,
           TRY_CAST(failed_requests AS DOUBLE) AS failed_requests,
           TRY_CAST(prompt_tok_sum AS DOUBLE) AS prompt_tok_sum,
           TRY_CAST(cached_prompt_tok_sum AS DOUBLE) AS cached_prompt_tok_sum,
           TRY_CAST(output_tok_sum AS DOUBLE) AS output_tok_sum,
           TRY_CAST(total_tok_sum AS DOUBLE) AS total_tok_sum, TRY_CAST(cost_usd AS DOUBLE) AS cost_usd,
           CASE
               WHEN requests IS NOT NULL AND NOT coalesce(isfinite(TRY_CAST(requests AS DOUBLE)), false)
                   THEN 'requests'
               WHEN throttled_requests IS NOT NULL
                   AND NOT coalesce(isfinite(TRY_CAST(throttled_requests AS DOUBLE)), false)
                   THEN 'throttled_requests'
               WHEN failed_requests IS NOT NULL
                   AND NOT coalesce(isfinite(TRY_CAST(failed_requests AS DOUBLE)), false)
                   THEN 'failed_requests'
               WHEN prompt_tok_sum IS NOT NULL
                   AND NOT coalesce(isfinite(TRY_CAST(prompt_tok_sum AS DOUBLE)), false)
                   THEN 'prompt_tok_sum'
               WHEN cached_prompt_tok_sum IS NOT NULL
                   AND NOT coalesce(isfinite(TRY_CAST(cached_prompt_tok_sum AS DOUBLE)), false)
                   THEN 'cached_prompt_tok_sum'
               WHEN output_tok_sum IS NOT NULL
                   AND NOT coalesce(isfinite(TRY_CAST(output_tok_sum AS DOUBLE)), false)
                   THEN 'output_tok_sum'
               WHEN total_tok_sum IS NOT NULL
                   AND NOT coalesce(isfinite(TRY_CAST(total_tok_sum AS DOUBLE)), false)
                   THEN 'total_tok_sum'
           END AS no_number
    FROM stated
), judged AS (
    SELECT *,
           CASE
               WHEN malformed IS NOT NULL THEN malformed
               WHEN skipped IS NOT NULL THEN NULL
               WHEN bucket_utc IS NULL THEN 'the time is missing or cannot be read'
               WHEN bucket_utc < TIMESTAMPTZ '2000-01-01 00:00:00+00'
                   OR bucket_utc >= TIMESTAMPTZ '2101-01-01 00:00:00+00'
                   THEN 'the time lies outside the years 2000 to 2100'
               WHEN bucket_s IS NULL OR NOT bucket_s BETWEEN 1 AND 2764800 OR bucket_s <> floor(bucket_s)
                   THEN 'the window is not between a second and 32 days long'
               WHEN no_number IS NOT NULL THEN no_number || ' is not a number'
               WHEN least(requests, throttled_requests, failed_requests) < 0 THEN 'a count of requests is negative'
               WHEN least(prompt_tok_sum, cached_prompt_tok_sum, output_tok_sum, total_tok_sum) < 0
                   THEN 'a sum of tokens is negative'
               WHEN cached_prompt_tok_sum > prompt_tok_sum
                   THEN 'cached_prompt_tok_sum is above prompt_tok_sum (cached tokens stated exclusive?)'
               WHEN coalesce(prompt_tok_sum, 0) + coalesce(output_tok_sum, 0) > $max_tok * requests
                   THEN 'more tokens than so many requests have'
               WHEN category NOT IN ('online', 'batch', 'scheduled')
                   THEN 'category is not online, batch or scheduled'
               WHEN coalesce(requests, throttled_requests, failed_requests, prompt_tok_sum, output_tok_sum,
                                      total_tok_sum, cost_usd) IS NULL
                   THEN 'neither requests nor tokens nor a cost are stated'
           END AS fault
    FROM typed
), told AS (
    SELECT *,
           hash(requests, throttled_requests, failed_requests, prompt_tok_sum, cached_prompt_tok_sum,
                output_tok_sum, total_tok_sum, cost_usd) AS said
    FROM judged
), again AS (
    SELECT *,
           CASE WHEN fault IS NULL AND skipped IS NULL AND identity IS NOT NULL THEN
               row_number() OVER (PARTITION BY fault IS NULL AND skipped IS NULL, bucket_utc, bucket_s, identity ORDER BY line)
           END AS nth,
           first_value(said) OVER (PARTITION BY fault IS NULL AND skipped IS NULL, bucket_utc, bucket_s, identity ORDER BY line)
               AS said_first
    FROM told
)
SELECT line, bucket_utc, CAST(bucket_s AS INTEGER) AS bucket_s, model, region, team, category, requests,
       throttled_requests, failed_requests, prompt_tok_sum, cached_prompt_tok_sum, output_tok_sum, total_tok_sum,
       CASE WHEN isfinite(cost_usd) THEN cost_usd END AS cost_usd, skipped,
       coalesce(nth > 1 AND said = said_first, false) AS is_duplicate,
       coalesce(fault, CASE WHEN nth > 1 AND said <> said_first
           THEN 'an earlier row states other sums for the same window and key' END) AS reason,
       left(coalesce(CAST(to_json(stated_row) AS VARCHAR), ''), 200) AS excerpt
FROM again
