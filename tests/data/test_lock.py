import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from data.lock import StoreLockedError, hold_lock, lock_path, read_holder
from data.warehouse import open_store


def test_a_second_writer_learns_who_holds_the_store_and_for_how_long(tmp_path: Path, now):
    path = tmp_path / "s.duckdb"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"""
import time
from datetime import datetime
from pathlib import Path
from data.lock import hold_lock
with hold_lock(Path({str(path)!r}), datetime.fromisoformat({now.isoformat()!r})):
    print("held", flush=True)
    time.sleep(60)
""",
        ],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        with pytest.raises(StoreLockedError) as refused, hold_lock(path, now + timedelta(minutes=7)):
            pass

        assert f"process {holder.pid}" in str(refused.value)
        assert "for 7 min" in str(refused.value)
        assert str(lock_path(path)) in str(refused.value)
    finally:
        holder.kill()
        holder.wait()

    with hold_lock(path, now):  # the killed process left its lock file behind
        assert read_holder(path).pid == os.getpid()
    assert not lock_path(path).exists()


def test_a_lock_of_a_dead_process_is_taken_over(tmp_path: Path, now):
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    path = tmp_path / "s.duckdb"
    content = {"pid": ended.pid, "host": socket.gethostname(), "started": "1", "since": None}
    lock_path(path).write_text(json.dumps(content))

    with open_store(path, write=True, now=now) as store:
        assert store.con.execute("SELECT count(*) FROM requests").fetchall() == [(0,)]

    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.duckdb", "s.lake"]


def test_a_lock_whose_pid_went_to_another_process_is_taken_over(tmp_path: Path, now):
    path = tmp_path / "s.duckdb"
    content = {"pid": os.getpid(), "host": socket.gethostname(), "started": "not mine", "since": None}
    lock_path(path).write_text(json.dumps(content))

    with hold_lock(path, now):
        assert read_holder(path).started != "not mine"


def test_a_lock_from_another_host_is_never_taken_over(tmp_path: Path, now):
    path = tmp_path / "s.duckdb"
    lock_path(path).write_text(json.dumps({"pid": 1, "host": "elsewhere", "started": None, "since": None}))

    with pytest.raises(StoreLockedError, match="on elsewhere"), hold_lock(path, now):
        pass

    assert lock_path(path).exists()


def test_a_lock_file_that_cannot_be_read_holds_nobody_up(tmp_path: Path, now):
    path = tmp_path / "s.duckdb"
    lock_path(path).write_text("half writ")

    with hold_lock(path, now):
        pass
