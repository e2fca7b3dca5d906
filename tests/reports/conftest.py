"""The example reports, for every test of this room."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from reports.budget import BudgetReport
from reports.render import render_html


def _example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_report", Path(__file__).with_name("example_report.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLE = _example()


@pytest.fixture(scope="session")
def report() -> BudgetReport:
    return EXAMPLE.example_report()


@pytest.fixture(scope="session")
def hostile() -> BudgetReport:
    return EXAMPLE.hostile_report()


@pytest.fixture(scope="session")
def sparse() -> BudgetReport:
    return EXAMPLE.sparse_report()


@pytest.fixture(scope="session")
def large() -> BudgetReport:
    return EXAMPLE.example_report(history_days=800)


@pytest.fixture(scope="session")
def hostile_name() -> str:
    return EXAMPLE.HOSTILE


@pytest.fixture(scope="session")
def page(report: BudgetReport) -> str:
    return render_html(report)


@pytest.fixture(scope="session")
def hostile_page(hostile: BudgetReport) -> str:
    return render_html(hostile)


@pytest.fixture(scope="session")
def sparse_page(sparse: BudgetReport) -> str:
    return render_html(sparse)
