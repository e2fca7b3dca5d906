-- The store. Raw requests live in Parquet beside it (see the view at the end of data/warehouse.py); every table
-- here but the results of runs can be rebuilt from that Parquet. docs/store.md explains each column.

-- One row per format of this schema; a store of another version is refused with the way out.
CREATE TABLE IF NOT EXISTS store_version (version INTEGER NOT NULL);

-- One row per file that was ever read, known by its content.
CREATE TABLE IF NOT EXISTS file_manifest (
    file_id VARCHAR NOT NULL,              -- first 16 hex digits of sha256(path, label)
    path VARCHAR NOT NULL,
    source_label VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    mapping_sha256 VARCHAR,                -- of the options that change what is read: mapping file, --start
    rows_read BIGINT NOT NULL,
    rows_new BIGINT NOT NULL,
    rows_duplicate BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    rows_skipped BIGINT NOT NULL,          -- rows that are no requests, such as spans of tools
    first_utc TIMESTAMPTZ,
    last_utc TIMESTAMPTZ,
    status VARCHAR NOT NULL,               -- done | replaced | refused
    ingested_utc TIMESTAMPTZ NOT NULL
);

-- One row per Parquet file of the lake: one (file, UTC day).
CREATE TABLE IF NOT EXISTS slice_manifest (
    file_id VARCHAR NOT NULL,
    day_utc DATE NOT NULL,
    path VARCHAR NOT NULL,                 -- relative to the lake; its name changes whenever its content does
    rows BIGINT NOT NULL,                  -- duplicates included
    size_bytes BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    rows_duplicate BIGINT NOT NULL         -- rows whose request id an earlier slice of that label and day holds
);

-- One row per table above and below that the lake gives: how many rows it must have (checked on opening).
CREATE TABLE IF NOT EXISTS table_manifest (
    generation BIGINT NOT NULL,            -- number of changes committed; <lake>/generation.json repeats it
    table_name VARCHAR NOT NULL,
    rows BIGINT NOT NULL
);

-- One row per log bucket that holds a whole number: the only place where lengths become buckets (data/buckets.py).
CREATE TABLE IF NOT EXISTS bucket_edge (
    grid VARCHAR NOT NULL,                 -- fine (1%) | coarse (10%)
    bucket INTEGER NOT NULL,
    above_tok BIGINT NOT NULL,             -- the bucket holds above_tok < tok <= upto_tok
    upto_tok BIGINT NOT NULL
);

-- One row per line that could not be read.
CREATE TABLE IF NOT EXISTS rejected_rows (
    file_id VARCHAR NOT NULL,
    line BIGINT NOT NULL,                  -- 1-based line of the file, header counted; row number for Parquet
    reason VARCHAR NOT NULL,
    excerpt VARCHAR                        -- at most 200 characters
);

-- One row per 10 s and key, for the newest 35 days of each source: sums from which the work on any GPU follows.
CREATE TABLE IF NOT EXISTS rollup_10s (
    window_utc TIMESTAMPTZ NOT NULL,
    source_label VARCHAR NOT NULL, model VARCHAR, region VARCHAR, team VARCHAR,
    category VARCHAR, status_class VARCHAR NOT NULL,       -- served | throttled | failed
    requests BIGINT NOT NULL,
    token_requests BIGINT NOT NULL,        -- those whose prompt and output tokens are both known
    cached_known_requests BIGINT NOT NULL, -- those of them whose cached tokens are known (else counted as 0 below)
    prompt_tok_sum DOUBLE NOT NULL, cached_prompt_tok_sum DOUBLE NOT NULL, output_tok_sum DOUBLE NOT NULL,
    prompt_tok_sq_sum DOUBLE NOT NULL, cached_prompt_tok_sq_sum DOUBLE NOT NULL,
    prompt_cached_sum DOUBLE NOT NULL, prompt_output_sum DOUBLE NOT NULL, output_tok_sq_sum DOUBLE NOT NULL
);

-- One row per minute and key, kept for good: sums of the 10-s rows.
CREATE TABLE IF NOT EXISTS rollup_minute (
    minute_utc TIMESTAMPTZ NOT NULL,
    source_label VARCHAR NOT NULL, model VARCHAR, region VARCHAR, team VARCHAR,
    category VARCHAR, status_class VARCHAR NOT NULL,
    requests BIGINT NOT NULL, token_requests BIGINT NOT NULL, cached_known_requests BIGINT NOT NULL,
    prompt_tok_sum DOUBLE NOT NULL, cached_prompt_tok_sum DOUBLE NOT NULL, output_tok_sum DOUBLE NOT NULL,
    prompt_tok_sq_sum DOUBLE NOT NULL, cached_prompt_tok_sq_sum DOUBLE NOT NULL,
    prompt_cached_sum DOUBLE NOT NULL, prompt_output_sum DOUBLE NOT NULL, output_tok_sq_sum DOUBLE NOT NULL
);

-- One row per UTC day, key, field and log bucket of its length; bucket 0 holds the zeros (docs/store.md).
CREATE TABLE IF NOT EXISTS token_histogram_daily (
    day_utc DATE NOT NULL,
    source_label VARCHAR NOT NULL, model VARCHAR, region VARCHAR, team VARCHAR,
    category VARCHAR, status_class VARCHAR NOT NULL,
    field VARCHAR NOT NULL,                -- prompt | cached | output
    bucket INTEGER NOT NULL,
    requests BIGINT NOT NULL
);

-- One row per UTC day, key and pair of coarse (10%) buckets of prompt and output length.
CREATE TABLE IF NOT EXISTS joint_histogram_daily (
    day_utc DATE NOT NULL,
    source_label VARCHAR NOT NULL, model VARCHAR, region VARCHAR, team VARCHAR,
    category VARCHAR, status_class VARCHAR NOT NULL,
    prompt_bucket INTEGER NOT NULL, output_bucket INTEGER NOT NULL,
    requests BIGINT NOT NULL
);

-- One row per UTC day, key and length: what the requests with a longer prompt add up to.
CREATE TABLE IF NOT EXISTS long_requests_daily (
    day_utc DATE NOT NULL,
    source_label VARCHAR NOT NULL, model VARCHAR, region VARCHAR, team VARCHAR,
    category VARCHAR, status_class VARCHAR NOT NULL,
    threshold_tok INTEGER NOT NULL,        -- prompt_tok > threshold_tok
    requests BIGINT NOT NULL,
    prompt_tok_sum DOUBLE NOT NULL, cached_prompt_tok_sum DOUBLE NOT NULL, output_tok_sum DOUBLE NOT NULL,
    prompt_tok_sq_sum DOUBLE NOT NULL, cached_prompt_tok_sq_sum DOUBLE NOT NULL,
    prompt_cached_sum DOUBLE NOT NULL, prompt_output_sum DOUBLE NOT NULL, output_tok_sq_sum DOUBLE NOT NULL
);

-- One row per window and key of a source that only gives sums (ServeGen rates, usage exports). NULL = not stated.
CREATE TABLE IF NOT EXISTS usage_bucket (
    file_id VARCHAR NOT NULL,
    bucket_utc TIMESTAMPTZ NOT NULL, bucket_s INTEGER NOT NULL,
    source_label VARCHAR NOT NULL, model VARCHAR, region VARCHAR, team VARCHAR, category VARCHAR,
    requests DOUBLE,                       -- those that the token sums hold
    throttled_requests DOUBLE,             -- 429s beside them, which are demand
    failed_requests DOUBLE,                -- errors beside them, which are not
    prompt_tok_sum DOUBLE, cached_prompt_tok_sum DOUBLE, output_tok_sum DOUBLE,
    total_tok_sum DOUBLE,                  -- prompt and output together, where a source does not tell them apart
    arrival_cv DOUBLE,                     -- coefficient of variation of the gaps between arrivals
    cost_usd DOUBLE
);

-- One row per window and key of usage_bucket that says something about traffic: costs alone do not.
CREATE VIEW IF NOT EXISTS usage_traffic AS
SELECT * FROM usage_bucket
WHERE coalesce(requests, throttled_requests, failed_requests, prompt_tok_sum, output_tok_sum, total_tok_sum)
    IS NOT NULL;

-- One row per window and field of token lengths whose percentiles the source itself states: kept as given.
CREATE TABLE IF NOT EXISTS usage_percentile (
    file_id VARCHAR NOT NULL,
    window_utc TIMESTAMPTZ NOT NULL, window_s INTEGER NOT NULL,
    source_label VARCHAR NOT NULL, model VARCHAR, region VARCHAR, team VARCHAR, category VARCHAR,
    field VARCHAR NOT NULL,                -- prompt | cached | output, and parts of the prompt (text, image)
    requests DOUBLE NOT NULL, mean_tok DOUBLE, p50_tok DOUBLE, p90_tok DOUBLE, p95_tok DOUBLE, p99_tok DOUBLE
);

-- One row per window, field and step of a histogram that the source keeps: how many were longer than the step below.
CREATE TABLE IF NOT EXISTS usage_histogram (
    file_id VARCHAR NOT NULL,
    window_utc TIMESTAMPTZ NOT NULL, window_s INTEGER NOT NULL,
    source_label VARCHAR NOT NULL, model VARCHAR, region VARCHAR, team VARCHAR, category VARCHAR,
    field VARCHAR NOT NULL,                -- prompt | output in tokens; first_token | duration in seconds
    above DOUBLE NOT NULL, upto DOUBLE NOT NULL,  -- the step holds above < length <= upto; the last one is infinite
    requests DOUBLE NOT NULL
);

-- One row per run of ours; the state of truth, never Prefect's database.
CREATE TABLE IF NOT EXISTS run (
    run_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,                 -- plan | ingest | replay
    as_of DATE, revision INTEGER NOT NULL,
    input_digest VARCHAR NOT NULL,
    status VARCHAR NOT NULL,               -- running | done | failed
    started_utc TIMESTAMPTZ NOT NULL, finished_utc TIMESTAMPTZ,
    out_dir VARCHAR, error VARCHAR
);

-- One row per forecast value that a run published, so that the next one can score it.
CREATE TABLE IF NOT EXISTS forecast_record (
    run_id VARCHAR NOT NULL, as_of DATE NOT NULL, workload VARCHAR NOT NULL,
    day_utc DATE NOT NULL,
    quantity VARCHAR NOT NULL,             -- requests | peak_<window>s_qps | prompt_tok | cached_prompt_tok | output_tok
    mean DOUBLE NOT NULL, q10 DOUBLE NOT NULL, q50 DOUBLE NOT NULL, q90 DOUBLE NOT NULL
);

-- One row per workload and forecast day of a run: what its expected requests and tokens are made of.
CREATE TABLE IF NOT EXISTS forecast_part (
    run_id VARCHAR NOT NULL, as_of DATE NOT NULL, workload VARCHAR NOT NULL,
    day_utc DATE NOT NULL,
    base DOUBLE NOT NULL,                  -- requests from the data alone
    growth DOUBLE NOT NULL,                -- what the stated growth adds
    events DOUBLE NOT NULL,                -- what events and holidays add
    total_tok DOUBLE,                      -- prompt and output tokens of all requests. NULL = lengths unknown
    event_tok DOUBLE                       -- those of them that come from events which change lengths
);

-- One row per run, workload, quantity and range of days ahead: how its forecast did on the days that have come.
CREATE TABLE IF NOT EXISTS forecast_score (
    run_id VARCHAR NOT NULL, as_of DATE NOT NULL, workload VARCHAR NOT NULL,
    quantity VARCHAR NOT NULL,
    from_day INTEGER NOT NULL, to_day INTEGER NOT NULL,    -- days ahead, 1 = as_of: 1-30 | 31-90 | 91-365
    through DATE NOT NULL,                 -- the newest scored day
    days INTEGER NOT NULL,                 -- scored days
    event_days INTEGER NOT NULL,           -- those of them that lie in a declared event
    outage_days INTEGER NOT NULL,          -- days left out because the source was out
    actual_mean DOUBLE NOT NULL,
    error DOUBLE,                          -- sum |actual - mean| / sum actual. NULL = nothing came
    bias DOUBLE,                           -- sum (mean - actual) / sum actual: above 0 = forecast too much
    coverage_80 DOUBLE NOT NULL,           -- share of days within q10..q90
    pinball DOUBLE NOT NULL,               -- mean quantile loss at 0.1, 0.5, 0.9
    naive_pinball DOUBLE                   -- that of repeating the week before the forecast. NULL = none known
);

-- One row per file of bills that was imported, known by its content.
CREATE TABLE IF NOT EXISTS spend_file (
    file_id VARCHAR NOT NULL,              -- first 16 hex digits of sha256(path)
    path VARCHAR NOT NULL, sha256 VARCHAR NOT NULL,
    shape VARCHAR NOT NULL,                -- focus | own
    rows BIGINT NOT NULL,
    imported_utc TIMESTAMPTZ NOT NULL
);

-- One row per charge that came: what was really paid, and the GPU-hours in service. NULL = not stated.
CREATE TABLE IF NOT EXISTS spend_actual (
    file_id VARCHAR NOT NULL,
    day_utc DATE NOT NULL, until_utc DATE NOT NULL,        -- half-open: the charge is for day_utc <= day < until_utc
    provider VARCHAR, label VARCHAR, gpu VARCHAR, workload VARCHAR, team VARCHAR,
    tags VARCHAR,                          -- JSON
    gpu_hours DOUBLE,
    billed_usd DECIMAL(24, 10) NOT NULL,   -- as invoiced
    effective_usd DECIMAL(24, 10) NOT NULL -- amortised: terms spread over the hours that they cover
);

-- One row per proposed commitment that somebody accepted or declined; accepted ones are in force from start_day on.
CREATE TABLE IF NOT EXISTS commit_decision (
    decision_id VARCHAR NOT NULL,
    run_id VARCHAR,                        -- the plan that proposed it; NULL = nobody's proposal
    verdict VARCHAR NOT NULL,              -- accepted | declined | withdrawn
    gpu VARCHAR NOT NULL, gpus INTEGER NOT NULL, provider VARCHAR NOT NULL,
    usd_per_gpu_hour DOUBLE NOT NULL,
    start_day DATE NOT NULL, end_day DATE NOT NULL,        -- its last day
    decided_by VARCHAR NOT NULL, decided_utc TIMESTAMPTZ NOT NULL,
    note VARCHAR
);

-- One row per price that a plan used, so that what moved since can be said.
CREATE TABLE IF NOT EXISTS price_used (
    run_id VARCHAR NOT NULL, as_of DATE NOT NULL,
    kind VARCHAR NOT NULL,                 -- gpu | api
    name VARCHAR NOT NULL,                 -- the GPU, or provider/model
    provider VARCHAR NOT NULL,
    item VARCHAR NOT NULL,                 -- the term, or input | cached | output and the tier's threshold
    unit VARCHAR NOT NULL,                 -- usd_per_gpu_hour | usd_per_mtok
    usd_low DOUBLE NOT NULL, usd_high DOUBLE NOT NULL,
    source VARCHAR NOT NULL, checked DATE
);
