"""What options may be: their types, each with one sentence on what was wrong, and the parser that prints it."""

import argparse
from datetime import UTC, date, datetime
from typing import NoReturn, TypeAlias, TypeVar

FIRST_YEAR, LAST_YEAR = 2000, 2199
EXIT_OK, EXIT_FOUND, EXIT_USER_ERROR = 0, 1, 2

When = TypeVar("When", date, datetime)


class OneSentenceParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence, without a page of usage above it."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and the way out; end with status 2."""
        self.exit(EXIT_USER_ERROR, f"{self.prog}: {message}; see {self.prog} --help\n")


Commands: TypeAlias = "argparse._SubParsersAction[OneSentenceParser]"


def day(text: str) -> date:
    """Return the date of a text such as 2026-11-23."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2026-11-23") from None
    return _of_our_time(day, text)


def moment(text: str) -> datetime:
    """Return the moment of a text; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it as 2026-11-01T00:00:00+00:00") from None
    return _of_our_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC), text)


def positive(text: str) -> float:
    """Return a number above 0."""
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} must be above 0")
    return value


def not_negative(text: str) -> float:
    """Return a number of 0 or more."""
    value = _number(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} must be 0 or more")
    return value


def share(text: str) -> float:
    """Return a number above 0 and at most 1."""
    value = _number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be above 0 and at most 1")
    return value


def share_below_1(text: str) -> float:
    """Return a number from 0 to below 1."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} must be 0 or more and below 1")
    return value


def at_least_1(text: str) -> float:
    """Return a number of 1 or more."""
    value = _number(text)
    if not 1 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} must be 1 or more")
    return value


def share_or_none(text: str) -> float:
    """Return a number between 0 and 1."""
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0 and 1")
    return value


class whole:  # noqa: N801  # it reads as a type in add_argument
    """A whole number between two bounds."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, text: str) -> int:
        """Return the number of a text."""
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
        if not self.least <= value <= self.most:
            raise argparse.ArgumentTypeError(f"{text} must lie between {self.least} and {self.most}")
        return value


def add_wait(parser: OneSentenceParser) -> None:
    """Add the option that waits for another writer of the store."""
    parser.add_argument(
        "--wait-s",
        type=not_negative,
        default=0.0,
        metavar="S",
        help="seconds to wait for another process that writes to the store (default 0: say who it is)",
    )


def _of_our_time(when: When, text: str) -> When:
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise argparse.ArgumentTypeError(f"{text!r} must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return when


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
