-- One row per UTC hour with matching requests, served or throttled.
SELECT date_trunc('hour', minute_utc) AS hour_utc, CAST(sum(requests) AS DOUBLE) AS requests
FROM matched_minute
GROUP BY hour_utc
ORDER BY hour_utc
