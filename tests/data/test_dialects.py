import re

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from data.buckets import edge_rows
from data.dialects import CANONICAL_TYPES, DIALECTS, ROLLUP_TABLES, relation_sql, relations_of, table_sql
from data.errors import UserError
from data.traffic import LONG_PROMPT_TOK


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("table", ROLLUP_TABLES)
def test_a_table_s_statement_parses_in_its_dialect_and_reads_nothing_but_the_requests(table, dialect):
    (tree,) = sqlglot.parse(table_sql(table, dialect), dialect=dialect)

    made = {cte.alias for cte in tree.find_all(exp.CTE)}
    read = {found.name for found in tree.find_all(exp.Table) if found.name}
    assert read - made == {"canonical_requests"}
    assert not list(tree.find_all(exp.Placeholder, exp.Parameter))


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d != "duckdb"])
def test_no_word_of_duckdb_s_own_is_left(dialect):
    text = "".join(table_sql(table, dialect) for table in ROLLUP_TABLES).lower()

    assert not re.findall(r"epoch_us|make_timestamptz|unnest\(\$|\bln\(|\blog\(", text)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_edges_of_buckets_are_whole_numbers_in_the_text(dialect):
    numbers = {int(n) for n in re.findall(r"\b\d+\b", relation_sql("bucket_edge", dialect))}

    assert numbers >= {upto for _, _, _, upto in edge_rows()}
    assert {str(tok) for tok in LONG_PROMPT_TOK} <= set(re.findall(r"\d+", relation_sql("long_prompt", dialect)))


def test_the_exported_text_counts_three_requests_as_worked_by_hand():
    columns = ", ".join(f"{name} {kind}" for name, kind in CANONICAL_TYPES.items())
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"CREATE TABLE canonical_requests ({columns})")
        con.execute("""INSERT INTO canonical_requests BY NAME
            SELECT 'x' AS source_label, 'a' AS file_order, id AS request_id,
                CAST(moment AS TIMESTAMPTZ) AS arrived_utc, status, prompt AS prompt_tok,
                0 AS cached_prompt_tok, 2 AS output_tok
            FROM (VALUES ('1', '2026-01-01T00:00:59.9Z', 'ok', 3), ('1', '2026-01-01T00:01:00Z', 'ok', 5),
                ('2', '2026-01-01T00:01:00Z', '429', 32001), (NULL, '2026-01-02T00:00:00Z', 'ok', NULL),
                ('3', '1999-01-02T00:00:00Z', 'ok', 1)) AS t(id, moment, status, prompt)""")
        minutes = con.execute(
            f"SELECT minute_utc::VARCHAR, status_class, requests, prompt_tok_sum FROM ({_bare('rollup_minute')})"
            " ORDER BY 1"
        ).fetchall()
        longer = con.execute(f"SELECT threshold_tok, requests FROM ({_bare('long_requests_daily')})").fetchall()
        days = con.execute(f"SELECT * FROM ({_bare('rollup_days')}) ORDER BY day_utc").fetchall()

    assert minutes == [
        ("2026-01-01 00:00:00+00", "served", 1, 3),  # the second row of id 1 is its duplicate
        ("2026-01-01 00:01:00+00", "throttled", 1, 32_001),
        ("2026-01-02 00:00:00+00", "served", 1, 0),
    ]
    assert longer == [(32_000, 1)]
    assert [(label, day.isoformat(), *counts) for label, day, *counts in days] == [
        ("x", "2026-01-01", 2, 2, 2),
        ("x", "2026-01-02", 1, 0, 0),
    ]


def _bare(table: str) -> str:
    return table_sql(table, "duckdb").rstrip().rstrip(";")


def test_a_relation_comes_after_what_it_needs():
    assert relations_of("token_histogram_daily") == [
        "usable_requests", "rollup_source", "rollup_requests", "bucket_edge", "token_bucket"
    ]  # fmt: skip


@pytest.mark.parametrize(("table", "dialect"), [("rollup_hour", "spark"), ("rollup_minute", "oracle")])
def test_what_there_is_not_is_named_with_what_there_is(table, dialect):
    with pytest.raises(UserError, match=r"There is no (table|dialect) '\w+' to export SQL for; known are "):
        table_sql(table, dialect)
