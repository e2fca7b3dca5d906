"""Ingest under fire: killed at any moment, two at once, no room on the disk. The store is whole, and the same.

Each fault meets a store that has something to lose: the ingest replaces a file, adds others that repeat its
requests, and reads plain, packed and bad rows.
"""

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.lock import lock_path
from data.tables import COUNTED_TABLES
from data.verify import verify_store
from data.warehouse import open_store
from tests.flows.forked import Forked, Nursery, wait_until

pytestmark = pytest.mark.slow

KILLS = 50
SEED = 20261124
MB = 1_000_000


@pytest.fixture(scope="module")
def nursery(tmp_path_factory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("said"))
    yield made
    made.close()


class World:
    """Logs, a store that has read some of them, and what it must be after the others."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self.folder, self.logs, self.nursery = folder, folder / "logs", nursery
        self.logs.mkdir()
        self._write("a.csv", range(3_000))
        self._write("b.csv", range(2_000, 4_000))
        self.base = folder / "base"
        assert self.ingest(self.base).wait() == 0
        self._write("a.csv", range(500, 3_500))
        self._write("c.csv", range(3_900, 6_000))
        lines = [*(json.dumps(row) for row in self._rows(range(5_500, 7_000))), '{"half']
        self.logs.joinpath("d.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
        self.before = contents(self.base)
        self.seconds = min(self._undisturbed(folder / f"reference-{n}") for n in range(3))
        self.after = contents(folder / "reference-0")

    def _undisturbed(self, folder: Path) -> float:
        self.copied(folder)
        started = time.monotonic()
        assert self.ingest(folder).wait() == 0
        return time.monotonic() - started

    def copied(self, to: Path) -> Path:
        """Copy the store that has read the first logs."""
        return shutil.copytree(self.base, to)

    def ingest(self, folder: Path, *options: object) -> Forked:
        """Begin to read all logs into the store of a folder."""
        return self.nursery.start(
            ["ingest", self.logs, "--label", "chat", "--store", folder / "s.duckdb", *options]
        )

    def _rows(self, numbers: range) -> list[dict[str, object]]:
        return [
            {
                "request_id": f"r{n}",
                "arrived_utc": f"2026-11-{1 + n % 5:02}T{n % 24:02}:{n % 60:02}:00Z",
                "model": f"m{n % 3}",
                "prompt_tok": -1 if n % 700 == 5 else 100 + n,
                "output_tok": n % 97,
            }
            for n in numbers
        ]

    def _write(self, name: str, numbers: range) -> None:
        rows = self._rows(numbers)
        lines = [",".join(map(str, row)) for row in [rows[0].keys(), *(row.values() for row in rows)]]
        (self.logs / name).write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def world(tmp_path_factory, nursery) -> World:
    return World(tmp_path_factory.mktemp("world"), nursery)


def contents(folder: Path) -> dict[str, object]:
    """Return every table but its times and names of files, and the lake by what its files hold."""
    left_out = {"file_manifest": "ingested_utc", "slice_manifest": "path, size_bytes, sha256"}
    found: dict[str, object] = {}
    with open_store(folder / "s.duckdb") as store:
        for table in COUNTED_TABLES:
            columns = f"* EXCLUDE ({left_out[table]})" if table in left_out else "*"
            found[table] = store.con.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").fetchall()
        slices = store.con.execute("SELECT file_id, day_utc, path FROM slice_manifest ORDER BY 1, 2").fetchall()
        for file_id, day, path in slices:
            sql = "SELECT * FROM read_parquet($path) ORDER BY ALL"
            found[f"{file_id} {day}"] = store.con.execute(sql, {"path": str(store.lake / path)}).fetchall()
        lake = {path.relative_to(store.lake).as_posix() for path in store.lake.glob("requests/*/*")}
        assert lake == {path for _, _, path in slices}
    return found


def left_over(folder: Path) -> list[str]:
    """Return what is there beside a store at rest."""
    at_rest = {"s.duckdb", "s.lake", "generation.json", "kept", "requests"}
    return sorted(
        path.name for each in (folder, folder / "s.lake") for path in each.iterdir() if path.name not in at_rest
    )


def check_healed(world: World, folder: Path, why: str) -> None:
    """Run the same ingest again and compare with the store that nobody disturbed."""
    again = world.ingest(folder)
    assert again.wait() == 0, (why, again.said)
    assert contents(folder) == world.after, why
    assert verify_store(folder / "s.duckdb") == (), why
    assert left_over(folder) == [".tmp"] or left_over(folder) == [], why


def test_killed_at_random_points_and_run_again_the_store_is_that_of_an_undisturbed_run(world, tmp_path):
    rng = random.Random(SEED)
    killed = trial = 0
    while killed < KILLS:
        trial += 1
        assert trial < 2 * KILLS, f"only {killed} of {trial} were killed under way"
        delay_s = rng.uniform(0, world.seconds)
        folder = world.copied(tmp_path / str(trial))
        child = world.ingest(folder)
        time.sleep(delay_s)
        child.kill()
        killed += child.wait() == -signal.SIGKILL
        check_healed(world, folder, f"seed {SEED}, trial {trial}: killed after {delay_s:.3f} s")
        shutil.rmtree(folder)
    print(f"{killed} of {trial} ingests of {world.seconds:.2f} s were killed under way (seed {SEED})")  # noqa: T201


STEPS: dict[str, Callable[[Path], bool]] = {
    "the lock is taken": lambda folder: lock_path(folder / "s.duckdb").exists(),
    "a log is being staged": lambda folder: (folder / "s.lake" / ".staging" / "judged.parquet").exists(),
    "days are being split": lambda folder: (folder / "s.lake" / ".staging" / "split").exists(),
    "a slice has its name": lambda folder: len(list((folder / "s.lake" / "requests").glob("*/*"))) > 10,
    "a copy is being written": lambda folder: any((folder / "s.lake" / "kept").glob(".*.tmp")),
    "the copies wait for the commit": lambda folder: (folder / "s.lake" / "generation.json.tmp").exists(),
    "the log of the database grows": lambda folder: _size(folder / "s.duckdb.wal") > 0,
    "the copies are named": lambda folder: (
        b'"generation": 3' in (folder / "s.lake" / "generation.json").read_bytes()
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_and_run_again_nothing_is_lost(world: World, tmp_path: Path, step: str):
    """Some steps take a millisecond: a busy machine may look away, so look again."""
    reached = STEPS[step]
    for attempt in range(20):
        folder = world.copied(tmp_path / str(attempt))
        assert not reached(folder)
        child = world.ingest(folder)
        seen = wait_until(lambda: reached(folder), timeout_s=2 * world.seconds)  # noqa: B023 - within the turn
        child.kill()
        child.wait()
        check_healed(world, folder, f"{step}, attempt {attempt}")
        if seen:
            return
        shutil.rmtree(folder)
    pytest.skip(f"{step}: too short to be seen on this machine in 20 attempts")


def test_a_store_killed_while_it_was_made_is_made_again(world: World, tmp_path: Path):
    for n, reached in enumerate(
        (lambda f: (f / "s.duckdb").exists(), lambda f: (f / "s.lake" / "generation.json").exists())
    ):
        folder = tmp_path / str(n)
        folder.mkdir()
        child = world.ingest(folder)
        assert wait_until(lambda: reached(folder), timeout_s=30)  # noqa: B023 - used within the turn
        child.kill()
        child.wait()
        again = world.ingest(folder)
        assert again.wait() == 0, again.said
        assert verify_store(folder / "s.duckdb") == ()


def test_the_second_of_two_ingests_says_who_holds_the_store_or_waits(world: World, tmp_path: Path):
    folder = world.copied(tmp_path / "s")
    with open_store(folder / "s.duckdb", write=True, now=datetime.now(UTC)):
        told = world.nursery.run("ingest", world.logs, "--label", "chat", "--store", folder / "s.duckdb")
        assert told.wait() == 2
        assert f"is being written by process {os.getpid()} on " in told.said
        assert told.said.count("\n") == 1
        late = world.ingest(folder, "--wait-s", 60)
        time.sleep(0.5)
    assert late.wait() == 0, late.said
    assert contents(folder) == world.after


def test_two_ingests_at_once_give_what_one_after_the_other_gives(world: World, tmp_path: Path):
    folder = world.copied(tmp_path / "s")
    children = [world.ingest(folder, "--wait-s", 60) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0], [child.said for child in children]
    assert contents(folder) == world.after


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 40 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        if os.environ.get("FLEETCAST_REQUIRE_TOOLS") == "1":
            pytest.fail(f"a small disk cannot be mounted: {mounted.stderr}")
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def _leave_free(disk: Path, free_bytes: int) -> None:
    """Fill a disk but for so many bytes."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, shutil.disk_usage(disk).free - free_bytes))


def test_on_a_full_disk_it_says_so_and_the_store_is_as_before(world: World, small_disk: Path):
    refused = stored = 0
    for free_bytes in [*range(0, 2 * MB, 128_000), *range(2 * MB, 24 * MB, 1 * MB)]:
        folder = world.copied(small_disk / "s")
        _leave_free(small_disk, free_bytes)
        child = world.ingest(folder)
        status = child.wait()
        (small_disk / "ballast").unlink()
        assert status in (0, 2), child.said
        assert verify_store(folder / "s.duckdb") == (), free_bytes
        if status == 2:
            refused += 1
            assert (
                "is full (No space left on device): what was stored before is as it was; free some" in child.said
            )
            assert child.said.count("\n") == 1, child.said
            assert contents(folder) == world.before, free_bytes
            check_healed(world, folder, f"{free_bytes} bytes were free")
        else:
            stored += 1
            assert contents(folder) == world.after, free_bytes
        shutil.rmtree(folder)
    print(f"{refused} refused, {stored} stored")  # noqa: T201
    assert refused >= 10
    assert stored >= 1


def test_on_a_disk_that_is_read_only_it_says_so_and_readers_still_read(world: World, small_disk: Path):
    folder = world.copied(small_disk / "s")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    child = world.ingest(folder)

    assert child.wait() == 2
    assert "cannot be written (Read-only file system): what was stored before is as it was" in child.said
    assert child.said.count("\n") == 1
    assert contents(folder) == world.before
    assert verify_store(folder / "s.duckdb") == ()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
