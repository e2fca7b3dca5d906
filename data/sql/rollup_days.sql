-- One row per source label and UTC day: what every rollup of that day must add up to.
SELECT source_label, CAST(make_timestamptz(day_us) AS DATE) AS day_utc, requests, token_requests, cached_known_requests
FROM (
    SELECT source_label, arrived_us - arrived_us % 86400000000 AS day_us,
           count(*) AS requests,
           count(prompt_tok) AS token_requests,
           count(cached_prompt_tok) AS cached_known_requests
    FROM rollup_requests
    GROUP BY source_label, day_us
) AS counted
