"""The house: imports run one way, packages are listed, files carry what they need."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["data", "forecasting", "sizing", "reports", "flows"]


def _imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import; write the room's name"
            found.add((node.module or "").split(".")[0])
    return found & set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_one_way(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for path in files:
        assert _imported_rooms(path) <= allowed, f"{path.relative_to(ROOT)} looks forward along the walk"


def test_only_flows_reads_the_clock():
    readers = ("datetime.now", "date.today", "time.time", "Timestamp.now", "utcnow", "current_timestamp", "now()")
    for room in ROOMS[:-1]:
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text()
            assert not [r for r in readers if r in text], f"{path.relative_to(ROOT)} reads the clock"


def test_every_folder_of_the_rooms_is_a_listed_package():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {
        ".".join(p.parent.relative_to(ROOT).parts) for room in ROOMS for p in (ROOT / room).rglob("__init__.py")
    }
    assert there == listed


def test_every_file_that_the_rooms_carry_is_packaged():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    packaged = {pattern.removeprefix("*") for pattern in patterns} | {".py"}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.suffix in packaged, f"{path.relative_to(ROOT)} would be missing from an installation"
                assert (path.parent / "__init__.py").exists(), f"{path.parent} is no package"


def test_the_pins_that_prefect_needs_are_in_force():
    """Newer FastAPI kills the embedded server; newer SQLAlchemy makes cron deployments silently never fire."""
    import fastapi
    import sqlalchemy

    assert tuple(map(int, fastapi.__version__.split(".")[:2])) < (0, 151)
    assert tuple(map(int, sqlalchemy.__version__.split(".")[:2])) < (2, 1)


def test_constraints_pin_every_line_exactly_and_name_no_host():
    lines = (ROOT / "constraints.txt").read_text().split("\n")
    for line in filter(None, lines):
        assert "==" in line, line
        assert "://" not in line, line
        assert "--" not in line, line
