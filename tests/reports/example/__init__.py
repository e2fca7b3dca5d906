"""A report as the planner makes one, and two variants of it, for the tests of this room."""

from example.common import HOSTILE
from example.report import example_report
from example.variants import hostile_report, sparse_report

__all__ = ["HOSTILE", "example_report", "hostile_report", "sparse_report"]
