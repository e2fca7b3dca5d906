import json
from pathlib import Path

import pytest

from data.errors import UserError
from data.formats import document
from data.formats.document import documents, head_paths
from data.formats.sample import look_at


def laid(tmp_path: Path, text: str):
    path = tmp_path / "x"
    path.write_text(text, "utf-8")
    return look_at(path)


PAGE = {"data": [{"start": 1, "results": [{"a b": {"c": [1, {"d": "e: {"}]}}]}], "more": False}


@pytest.mark.parametrize("indent", [None, 2])
def test_keys_are_found_through_arrays_and_layouts(tmp_path: Path, indent: int | None):
    sample = laid(tmp_path, json.dumps(PAGE, indent=indent))

    inside = {"data.results", "data.results.a b", "data.results.a b.c", "data.results.a b.c.d"}
    assert head_paths(sample) == {"data", "data.start", "more"} | inside


def test_keys_of_a_document_that_is_cut_off_are_those_before_the_cut(tmp_path: Path):
    sample = laid(tmp_path, json.dumps(PAGE)[:40])

    assert head_paths(sample) == {"data", "data.start", "data.results"}


def test_pages_come_one_a_line_one_a_file_or_in_an_array(tmp_path: Path):
    for text, kind in [
        ('{"n": 1}\n\n{"n": 2}\n', "jsonl"),
        ('[{"n": 1}, {"n": 2}]', "json"),
        ('[\n {"n": 1},\n {"n": 2}\n]', "json"),
    ]:
        sample = laid(tmp_path, text)
        assert sample.kind == kind
        assert [page["n"] for _, wrong, page in documents(sample) if wrong is None] == [1, 2]
    assert [page for *_, page in documents(laid(tmp_path, '{\n "n": 3\n}'))] == [{"n": 3}]


def test_a_line_that_is_no_json_is_named_and_the_others_are_read(tmp_path: Path):
    sample = laid(tmp_path, '{"n": 1}\n{"n": \n{"n": 3}\n')

    assert [(line, wrong) for line, wrong, _ in documents(sample)] == [(1, None), (2, "not valid JSON"), (3, None)]


def test_a_document_that_is_cut_off_or_too_long_is_refused(tmp_path: Path, monkeypatch):
    with pytest.raises(UserError, match="not valid JSON"):
        list(documents(laid(tmp_path, '[{"n": 1},\n')))
    monkeypatch.setattr(document, "MAX_DOCUMENT_CHARS", 5)
    for text in ('[{"n": 1}]', '{"n": 1234}\n'):
        with pytest.raises(UserError, match="split it by time"):
            list(documents(laid(tmp_path, text)))


def test_depth_is_bounded(tmp_path: Path):
    with pytest.raises(UserError, match="not valid JSON"):
        list(documents(laid(tmp_path, "[" * 200_000)))
