"""Everything that one plan publishes, as bytes: the page, plan.json and the tables, each with its hash on the page."""

import hashlib

from reports.budget import BudgetReport
from reports.export import table_texts
from reports.render import PublishedFile, render_html

PAGE = "budget.html"


def page_files(report: BudgetReport) -> dict[str, bytes]:
    """Return file name -> content. The same report gives the same bytes, so plan.json gives the identical page."""
    beside = {name: text.encode() for name, text in table_texts(report).items()}
    listed = [
        PublishedFile(name=name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for name, content in beside.items()
    ]
    return {PAGE: render_html(report, files=listed).encode(), **beside}
