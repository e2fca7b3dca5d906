-- One row per UTC day: requests in its busiest minute and hour, served or throttled.
WITH minutes AS (
    SELECT minute_utc, CAST(sum(requests) AS DOUBLE) AS requests
    FROM rollup_minute
    WHERE source_label = coalesce($label, source_label)
    AND ($model IS NULL OR model = $model)
    AND ($region IS NULL OR region = $region)
    AND ($team IS NULL OR team = $team)
        AND status_class <> 'failed'
        AND minute_utc >= $since AND minute_utc < $until
    GROUP BY minute_utc
), hours AS (
    SELECT date_trunc('hour', minute_utc) AS hour_utc, CAST(sum(requests) AS DOUBLE) AS requests, max(requests) AS busiest_minute
    FROM minutes
    GROUP BY hour_utc
)
SELECT CAST(hour_utc AS DATE) AS day_utc,
       max(busiest_minute) AS peak_minute_requests,
       max(requests) AS peak_hour_requests
FROM hours
GROUP BY day_utc
ORDER BY day_utc
