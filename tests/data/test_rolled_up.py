import pytest

from data.dialects import CANONICAL_TYPES
from data.errors import UserError
from data.rolled_up import canonical_columns, new_rollup, read_manifest, table_files

WHOLE = {"arrived_utc": "time", "prompt_tok": "whole", "output_tok": "float"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is no manifest of a rollup"),
        ('{"schema_version": 2, "engine": "spark"}', "schema_version"),
        ('{"schema_version": 1}', "engine: Field required"),
        ('{"schema_version": 1, "engine": "x", "rows": 3}', "rows: Extra inputs"),
        (
            '{"schema_version": 1, "engine": "x", "days": [{"source_label": "a"}]}',
            "days.0.day_utc: Field",
        ),
    ],
)
def test_a_manifest_that_is_none_is_one_sentence(tmp_path, text, sentence):
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(UserError, match=sentence) as caught:
        read_manifest(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_rollup_that_fails_leaves_nothing(tmp_path):
    def fail() -> None:
        with new_rollup(tmp_path / "out") as part:
            (part / "half").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def test_columns_that_are_not_there_are_unknown_and_fractions_of_tokens_are_no_count():
    columns = dict(canonical_columns(WHOLE, "x", truncate="floor"))

    assert list(columns) == list(CANONICAL_TYPES)
    assert columns["cached_prompt_tok"] == "NULL"
    assert columns["output_tok"].endswith("WHEN floor(output_tok) = output_tok THEN output_tok ELSE -1 END")


def test_files_of_a_table_are_found_in_a_folder_or_alone(tmp_path):
    (tmp_path / "rollup_days").mkdir()
    for name in ("part-1.parquet", "_temporary.parquet", ".crc.parquet", "_SUCCESS"):
        (tmp_path / "rollup_days" / name).touch()
    assert table_files(tmp_path, "rollup_days") == [str(tmp_path / "rollup_days" / "part-1.parquet")]

    (tmp_path / "rollup_days.parquet").touch()
    assert table_files(tmp_path, "rollup_days") == [str(tmp_path / "rollup_days.parquet")]
