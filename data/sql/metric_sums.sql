-- One row per window and key of checked metrics, each of which states one sum; NULL where no metric states it.
SELECT bucket_utc, bucket_s, model, region, team, category,
       sum(requests ORDER BY line) AS requests, sum(throttled_requests ORDER BY line) AS throttled_requests,
       sum(failed_requests ORDER BY line) AS failed_requests, sum(prompt_tok_sum ORDER BY line) AS prompt_tok_sum,
       sum(cached_prompt_tok_sum ORDER BY line) AS cached_prompt_tok_sum,
       sum(output_tok_sum ORDER BY line) AS output_tok_sum
FROM metric_row
WHERE reason IS NULL AND skipped IS NULL
GROUP BY ALL
ORDER BY bucket_utc, bucket_s, model, region, team, category
