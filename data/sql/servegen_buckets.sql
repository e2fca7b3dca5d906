-- One row per slot: the requests of all clients, and the token sums that the means of its window imply.
WITH slots AS (
    SELECT $start_utc + to_seconds(t_s) AS bucket_utc,
           sum(rate_rps * $slot_s ORDER BY client_id) AS requests,
           sum(rate_rps * iat_cv ORDER BY client_id) / nullif(sum(rate_rps ORDER BY client_id), 0) AS arrival_cv
    FROM servegen_rate
    WHERE reason IS NULL
    GROUP BY t_s
), means AS (
    SELECT window_utc, window_s, max(model) AS model,
           max(mean_tok) FILTER (WHERE field = 'prompt') AS prompt_mean,
           max(mean_tok) FILTER (WHERE field = 'output') AS output_mean
    FROM servegen_percentile
    GROUP BY window_utc, window_s
)
SELECT bucket_utc, CAST($slot_s AS INTEGER) AS bucket_s,
       coalesce(model, (SELECT max(model) FROM means)) AS model,
       requests, requests * prompt_mean AS prompt_tok_sum, requests * output_mean AS output_tok_sum, arrival_cv
FROM slots
LEFT JOIN means ON bucket_utc >= window_utc AND bucket_utc < window_utc + to_seconds(window_s)
ORDER BY bucket_utc
