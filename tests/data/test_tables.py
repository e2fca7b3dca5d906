"""Every table is either made from the slices, or copied beside them, or the same in every store."""

from data.tables import COUNTED_TABLES, ROLLUP_TIMES, counts, kept_tables


def test_every_table_is_made_from_slices_or_kept_or_born_with_the_store(store):
    sql = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary"
    every = {row[0] for row in store.con.execute(sql).fetchall()}

    kept = set(kept_tables(store.con))

    assert kept | set(ROLLUP_TIMES) | {"store_version", "table_manifest", "bucket_edge"} == every
    assert not kept & set(ROLLUP_TIMES)
    assert {"file_manifest", "slice_manifest", "rejected_rows", "usage_bucket", "run", "forecast_record"} <= kept


def test_a_table_that_nobody_knows_is_kept(store):
    store.con.execute("CREATE TABLE of_tomorrow (a INTEGER)")
    store.con.execute("CREATE TEMP TABLE passing (a INTEGER)")

    assert "of_tomorrow" in kept_tables(store.con)
    assert "passing" not in kept_tables(store.con)


def test_the_rollups_of_the_schema_have_the_column_that_says_their_day(store):
    for table, column in ROLLUP_TIMES.items():
        assert store.con.execute(f"SELECT {column} FROM {table}").fetchall() == []


def test_what_the_manifest_answers_for_is_counted(store):
    store.con.execute("INSERT INTO rejected_rows VALUES ('f', 1, 'r', NULL)")

    assert counts(store.con) == {**dict.fromkeys(COUNTED_TABLES, 0), "rejected_rows": 1}
