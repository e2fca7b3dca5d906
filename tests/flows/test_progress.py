"""Progress is for who watches: nothing is printed into a file or a pipe."""

import pytest

from flows.progress import no_progress, progress_bar


def test_nothing_is_printed_where_nobody_watches(capsys, monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    with progress_bar("plan") as report:
        report("reading", 0.5)
        report("done", 1.0)

    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_terminal_sees_the_step_on_stderr_alone(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("plan") as report:
        report("reading the store", 0.5)

    said = capsys.readouterr()
    assert said.out == ""
    assert "plan: reading the store" in said.err


def test_the_works_own_failure_is_heard():
    def work():
        with progress_bar("plan") as report:
            report("reading", 0.5)
            raise RuntimeError("the work's own")

    with pytest.raises(RuntimeError, match="the work's own"):
        work()


def test_reporting_to_nobody_does_nothing(capsys):
    no_progress("anything", 0.3)

    assert capsys.readouterr() == ("", "")
