-- One row per window and key of checked sums: rows of one key added up; NULL where one of them does not state a sum.
SELECT bucket_utc, bucket_s, model, region, team, category,
       CASE WHEN count(requests) = count(*) THEN sum(requests ORDER BY line) END AS requests,
       CASE WHEN count(throttled_requests) = count(*) THEN sum(throttled_requests ORDER BY line) END
           AS throttled_requests,
       CASE WHEN count(failed_requests) = count(*) THEN sum(failed_requests ORDER BY line) END AS failed_requests,
       CASE WHEN count(prompt_tok_sum) = count(*) THEN sum(prompt_tok_sum ORDER BY line) END AS prompt_tok_sum,
       CASE WHEN count(cached_prompt_tok_sum) = count(*) THEN sum(cached_prompt_tok_sum ORDER BY line) END
           AS cached_prompt_tok_sum,
       CASE WHEN count(output_tok_sum) = count(*) THEN sum(output_tok_sum ORDER BY line) END AS output_tok_sum,
       CASE WHEN count(total_tok_sum) = count(*) THEN sum(total_tok_sum ORDER BY line) END AS total_tok_sum,
       CASE WHEN count(cost_usd) = count(*) THEN sum(cost_usd ORDER BY line) END AS cost_usd
FROM usage_row
WHERE reason IS NULL AND skipped IS NULL AND NOT is_duplicate
GROUP BY ALL
ORDER BY bucket_utc, bucket_s, model, region, team, category
