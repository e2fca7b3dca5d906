-- One row per window of the matching sums, all keys together; NULL where some key does not state a sum.
SELECT bucket_utc AS window_utc, bucket_s,
       CASE WHEN count(requests) = count(*) THEN sum(requests) END AS requests,
       coalesce(sum(throttled_requests), 0) AS throttled_requests,
       coalesce(sum(failed_requests), 0) AS failed_requests,
       CASE WHEN count(prompt_tok_sum) = count(*) THEN sum(prompt_tok_sum) END AS prompt_tok_sum,
       CASE WHEN count(cached_prompt_tok_sum) = count(*) THEN sum(cached_prompt_tok_sum) END
           AS cached_prompt_tok_sum,
       CASE WHEN count(output_tok_sum) = count(*) THEN sum(output_tok_sum) END AS output_tok_sum,
       CASE WHEN count(total_tok_sum) = count(*) THEN sum(total_tok_sum) END AS total_tok_sum,
       sum(requests * arrival_cv) / nullif(sum(CASE WHEN arrival_cv IS NOT NULL THEN requests END), 0) AS arrival_cv
FROM usage_traffic
WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
    AND bucket_utc >= $since AND bucket_utc < $until
GROUP BY bucket_utc, bucket_s
ORDER BY bucket_utc, bucket_s
