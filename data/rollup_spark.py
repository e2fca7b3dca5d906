"""Rollups of Parquet requests by Spark: the same SQL, transpiled, on as many machines as the requests need."""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from data.dialects import CANONICAL_TYPES, ROLLUP_TABLES, relation_sql
from data.errors import UserError
from data.rolled_up import MAX_REJECTED_SHARE, RollupManifest, canonical_columns, new_rollup, write_manifest

_KINDS = {
    **dict.fromkeys(("byte", "short", "integer", "long"), "whole"),
    **dict.fromkeys(("float", "double"), "float"),
    **dict.fromkeys(("timestamp", "timestamp_ntz", "date"), "time"),
    "string": "text",
}
_RELATIONS = ("bucket_edge", "long_prompt", "usable_requests", "rollup_source", "rollup_requests", "token_bucket")
_TYPES = {"VARCHAR": "STRING", "TIMESTAMPTZ": "TIMESTAMP", "BIGINT": "BIGINT"}


def roll_up_parquet(
    source: str,
    out: Path,
    *,
    label: str | None = None,
    master: str | None = None,
    max_rejected_share: float = MAX_REJECTED_SHARE,
) -> RollupManifest:
    """Write the rollups of Parquet requests to the new folder `out`.

    source: whatever Spark reads (a folder, a glob, s3a://...). master: where Spark runs, such as local[2] or
    spark://host:7077; None takes what spark-submit or spark-defaults.conf say, else all local cores. The driver
    writes the manifest, so `out` must be a folder that it and the executors see. label: source label of all rows;
    None takes the column source_label. Rows that the store would reject are left out and counted. Raises
    UserError.
    """
    spark, own = _session(master)
    try:
        with new_rollup(out) as part:
            read, usable = _show_relations(spark, source, label)
            for table in ROLLUP_TABLES:
                rows = spark.sql(relation_sql(table, "spark"))
                rows.coalesce(1).write.option("compression", "zstd").parquet(str((part / table).resolve()))
            kept = spark.table("rollup_requests").count()
            return write_manifest(
                part,
                engine=f"spark {spark.version}",
                source=source,
                read=read,
                usable=usable,
                kept=kept,
                max_rejected_share=max_rejected_share,
            )
    finally:
        spark.catalog.clearCache()
        if own:
            spark.stop()


def _session(master: str | None) -> tuple[Any, bool]:
    """Return a session in UTC, and whether it is ours to stop."""
    try:
        sql = import_module("pyspark.sql")
    except ModuleNotFoundError as err:
        raise UserError(
            "Spark is not installed; install fleetcast with its extra: pip install '.[spark]'."
        ) from err
    own = sql.SparkSession.getActiveSession() is None
    builder = sql.SparkSession.builder.appName("fleetcast rollup").config("spark.ui.showConsoleProgress", "false")
    if master is not None:
        builder = builder.master(master)
    if own and (master or "local").startswith("local"):
        # 200 partitions, the default, are for clusters: on one machine nearly all the time went into their tasks.
        builder = builder.config("spark.sql.shuffle.partitions", str(os.cpu_count() or 1))
        builder = builder.config("spark.ui.enabled", "false")
    try:
        spark = builder.getOrCreate()
    except Exception as err:  # pyspark has no narrower class for a gateway that did not start
        raise UserError(f"Spark did not start ({_first_line(err)}); it needs Java 17, see java -version.") from err
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    if own:
        spark.sparkContext.setLogLevel("ERROR")
    return spark, own


def _show_relations(spark: Any, source: str, label: str | None) -> tuple[int, int]:
    """Make every relation a view, the dear ones cached; return rows read and rows usable."""
    try:
        requests = spark.read.option("mergeSchema", "true").parquet(source)
    except Exception as err:  # AnalysisException where a path is missing; py4j wraps the rest
        raise UserError(f"Spark cannot read {source} as Parquet: {_first_line(err)}") from err
    kinds = {field.name: _KINDS.get(field.dataType.typeName(), "other") for field in requests.schema.fields}
    if kinds.get("is_duplicate") == "other":
        requests = requests.where("NOT is_duplicate")  # what a lake has marked
    functions = import_module("pyspark.sql.functions")
    requests = requests.withColumn("file_order", functions.col("_metadata.file_path"))
    canonical = _canonical(requests, {**kinds, "file_order": "text"}, source, label, functions)
    canonical.createOrReplaceTempView("canonical_requests")
    for name in _RELATIONS:
        relation = spark.sql(relation_sql(name, "spark"))
        if name in {"usable_requests", "rollup_requests", "token_bucket"}:
            relation = relation.persist()
        relation.createOrReplaceTempView(name)
    return canonical.count(), spark.table("usable_requests").count()


def _canonical(requests: Any, kinds: Mapping[str, str], source: str, label: str | None, functions: Any) -> Any:
    if label is not None:
        kinds = {**kinds, "source_label": "text"}
    columns = []
    for name, sql in canonical_columns(kinds, source, truncate="floor"):
        column = functions.lit(label) if name == "source_label" and label is not None else functions.expr(sql)
        if name == "source_label" and label is None and sql == "NULL":
            raise UserError(f"{source} has no column 'source_label'; say whose requests these are with --label.")
        columns.append(column.cast(_TYPES[CANONICAL_TYPES[name]]).alias(name))
    return requests.select(*columns)


def _first_line(err: Exception) -> str:
    return str(err).strip().splitlines()[0][:200] if str(err).strip() else type(err).__name__
