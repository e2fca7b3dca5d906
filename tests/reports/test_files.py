"""What a plan publishes is a function of its report, hashes included."""

import hashlib

import pytest

from reports.budget import from_json, to_json
from reports.files import PAGE, page_files


@pytest.fixture(scope="module")
def files(report):
    return page_files(report)


def test_the_page_prints_the_hash_of_every_file_beside_it(files):
    page = files[PAGE].decode()

    assert set(files) >= {"plan.json", "costs.csv", "fleets.csv", "demand.csv", "decisions.csv"}
    for name in set(files) - {PAGE}:
        assert hashlib.sha256(files[name]).hexdigest()[:12] in page, name


def test_plan_json_read_back_gives_the_identical_files(files):
    report = from_json(files["plan.json"])

    assert to_json(report).encode() == files["plan.json"]
    assert page_files(report) == files
