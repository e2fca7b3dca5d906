"""The log in examples/ that people open first: what docs/synthetic.md says of it is there."""

import csv
from collections import Counter
from pathlib import Path

from data.formats.contract import Options
from data.formats.mapped import read_mapping
from data.formats.sample import look_at

EXAMPLES = Path(__file__).parents[2] / "examples"
LOG = EXAMPLES / "logs" / "requests.csv"


def test_the_mapping_names_columns_that_the_log_has():
    mapping = read_mapping(Options(mapping=EXAMPLES / "mapping.toml"))
    sources = [*mapping.columns.model_dump(exclude_none=True).values(), *mapping.tags.values()]

    assert look_at(LOG).has(*sources)
    assert set(sources) == set(look_at(LOG).columns)


def test_the_log_holds_one_of_each_thing_that_goes_wrong():
    with LOG.open(newline="") as file:
        rows = list(csv.DictReader(file))
    mapping = read_mapping(Options(mapping=EXAMPLES / "mapping.toml"))

    assert len(rows) == 40
    assert Counter(row["http_status"] for row in rows) == {"200": 38, "429": 1, "503": 1}
    assert set(mapping.status) == {"200", "429", "503"}
    assert [row["id"] for row in rows if row["attempt"] == "2"] == ["r-0011"]
    assert [row["id"] for row in rows if not row["tokens_out"]] == ["r-0010", "r-0018", "r-0023"]
    assert [n for n, row in enumerate(rows, start=2) if row["tokens_in"].startswith("-")] == [41]
