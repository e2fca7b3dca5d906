"""Progress of long work, on the terminal's error stream; silent where nobody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from data.errors import printable

Report = Callable[[str, float], None]
"""Called with what is being done and the share of the whole that is done, 0 to 1."""


def no_progress(_what: str, _share: float) -> None:
    """Report to nobody."""


@contextmanager
def progress_bar(title: str) -> Iterator[Report]:
    """Show one bar for the whole work and the name of the current step."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda what, share: bar.update(task, description=printable(f"{title}: {what}"), completed=share)
