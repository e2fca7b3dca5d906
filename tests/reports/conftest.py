"""The example reports, for every test of this room."""

import sys
from pathlib import Path

import pytest

from reports.budget import BudgetReport
from reports.render import render_html

sys.path.insert(0, str(Path(__file__).parent))
import example


@pytest.fixture(scope="session")
def report() -> BudgetReport:
    return example.example_report()


@pytest.fixture(scope="session")
def hostile() -> BudgetReport:
    return example.hostile_report()


@pytest.fixture(scope="session")
def sparse() -> BudgetReport:
    return example.sparse_report()


@pytest.fixture(scope="session")
def large() -> BudgetReport:
    return example.example_report(history_days=800)


@pytest.fixture(scope="session")
def hostile_name() -> str:
    return example.HOSTILE


@pytest.fixture(scope="session")
def page(report: BudgetReport) -> str:
    return render_html(report)


@pytest.fixture(scope="session")
def hostile_page(hostile: BudgetReport) -> str:
    return render_html(hostile)


@pytest.fixture(scope="session")
def sparse_page(sparse: BudgetReport) -> str:
    return render_html(sparse)
