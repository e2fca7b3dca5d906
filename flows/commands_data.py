"""What goes into the store, and what the store is asked."""

from pathlib import Path

from flows.options import Commands, add_wait, moment, positive, share


def add_ingest(commands: Commands) -> None:
    """Add the command for logs into the store."""
    ingest = commands.add_parser("ingest", help="read traffic logs into the store")
    ingest.add_argument(
        "logs",
        nargs="*",
        type=Path,
        metavar="LOG",
        help="files, folders, patterns in quotes ('logs/**/*.jsonl.gz'), or - for standard input",
    )
    ingest.add_argument("--store", type=Path, required=True, metavar="DB", help="the store's .duckdb file")
    ingest.add_argument(
        "--rollup", type=Path, metavar="DIR", help="instead of logs: a rollup made elsewhere (docs/scale.md)"
    )
    ingest.add_argument(
        "--format",
        metavar="NAME",
        default="auto",
        help="log dialect (fleetcast formats lists them); auto, the default, recognises it from the content",
    )
    ingest.add_argument("--mapping", type=Path, metavar="TOML", help="which column is what, for your own tables")
    ingest.add_argument("--label", metavar="NAME", help="source label; left out: from the log or the file's name")
    ingest.add_argument("--start", type=moment, metavar="TIME", help="first moment of a source that has no dates")
    ingest.add_argument(
        "--max-rejected-share",
        type=share,
        default=0.05,
        metavar="SHARE",
        help="refuse a file with a larger share of bad rows (default 0.05)",
    )
    ingest.add_argument(
        "--max-unpack-ratio",
        type=positive,
        default=200.0,
        metavar="N",
        help="refuse a packed file that unpacks to over 1 GB and over N times its size (default 200)",
    )
    add_wait(ingest)
    ingest.add_argument("--prefect", action="store_true", help="track the run with Prefect")
    ingest.set_defaults(run="flows.cli_data:run_ingest")


def add_rollup(commands: Commands) -> None:
    """Add the command for the heavy step without a store."""
    rollup = commands.add_parser("rollup", help="roll Parquet requests up without a store, on Spark or DuckDB")
    rollup.add_argument("--engine", choices=["spark", "duckdb"], required=True)
    rollup.add_argument(
        "--input",
        required=True,
        metavar="PARQUET",
        help="file, folder or pattern of requests in canonical columns (docs/scale.md); for Spark also s3a://...",
    )
    rollup.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that is not there yet")
    rollup.add_argument("--label", metavar="NAME", help="source label; left out: the column source_label")
    rollup.add_argument(
        "--master", metavar="URL", help="where Spark runs: local[8], spark://..., yarn; left out: as it is set up"
    )
    rollup.add_argument(
        "--max-rejected-share",
        type=share,
        default=0.05,
        metavar="SHARE",
        help="refuse an input with a larger share of bad rows (default 0.05)",
    )
    rollup.set_defaults(run="flows.cli_scale:run_rollup")


def add_export_sql(commands: Commands) -> None:
    """Add the command for the heavy step as SQL."""
    export = commands.add_parser("export-sql", help="the rollup's SQL, for a warehouse of your own")
    export.add_argument(
        "--dialect",
        required=True,
        choices=["spark", "clickhouse", "trino", "bigquery", "snowflake", "duckdb"],
    )
    export.add_argument("--table", metavar="TABLE", help="one table of it; left out: all, a statement each")
    export.set_defaults(run="flows.cli_scale:run_export_sql")


def add_store(commands: Commands) -> None:
    """Add the command for what is done to a store."""
    store = commands.add_parser("store", help="what the store holds, whether it is whole, made anew, made smaller")
    actions = store.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, said in (
        ("status", "sources, days, rows, sizes, newest data, and who writes to it"),
        ("verify", "read all of it and compare; status 1 where something is wrong"),
        ("rebuild", "make the .duckdb file anew from the Parquet beside it"),
        ("vacuum", "remove what nobody names, compact the .duckdb file, say what it won"),
    ):
        action = actions.add_parser(name, help=said)
        action.add_argument("--store", type=Path, required=True, metavar="DB", help="the store's .duckdb file")
        action.set_defaults(run=f"flows.cli_store:run_{name}")
        if name in {"status", "verify"}:
            action.add_argument("--json", action="store_true", help="machine-readable")
        else:
            add_wait(action)
        if name == "rebuild":
            action.add_argument(
                "--forget-damaged", action="store_true", help="leave out Parquet files that are missing or altered"
            )


def add_formats(commands: Commands) -> None:
    """Add the command for the log dialects."""
    formats = commands.add_parser("formats", help="the log formats that ingest knows, and what it reads of each")
    formats.add_argument("name", nargs="?", help="one format in full, with its columns")
    formats.add_argument("--json", action="store_true", help="machine-readable")
    formats.set_defaults(run="flows.cli_formats:run_formats")
