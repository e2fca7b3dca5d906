"""Small files that are there whole or not at all."""

import hashlib
from pathlib import Path

import pytest

from data.errors import UserError
from data.files import digest_of, prepare_file, publish_file, size_of, write_durably


def test_a_file_appears_with_all_its_content_or_keeps_its_old_one(tmp_path: Path):
    path = tmp_path / "note"
    write_durably(path, "old")

    prepared = prepare_file(path, "new")
    assert path.read_text() == "old"

    publish_file(prepared, path)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_digest_is_the_sha256_of_the_content(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"content")
    assert digest_of(tmp_path / "a") == hashlib.sha256(b"content").hexdigest()


def test_a_file_that_cannot_be_read_has_no_digest(tmp_path: Path):
    with pytest.raises(UserError, match="Cannot read"):
        digest_of(tmp_path / "none")


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "in" / "b").write_bytes(b"4567")

    assert (size_of(tmp_path), size_of(tmp_path / "a"), size_of(tmp_path / "none")) == (7, 3, 0)
