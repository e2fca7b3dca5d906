"""All that one plan publishes, as bytes: the page; plan.json, CSV and FOCUS Parquet, whose hashes it prints."""

import hashlib

from reports.budget import BudgetReport, from_json, to_json
from reports.export import table_texts
from reports.focus import focus_files
from reports.render import PublishedFile, render_html

PAGE = "budget.html"


def page_files(report: BudgetReport) -> dict[str, bytes]:
    """Return file name -> content; the same report gives the same bytes.

    The page is made of what plan.json holds, so that reading it back gives the identical page.
    """
    report = from_json(to_json(report))
    beside = {name: text.encode() for name, text in table_texts(report).items()} | focus_files(report)
    listed = [
        PublishedFile(name=name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for name, content in beside.items()
    ]
    return {PAGE: render_html(report, files=listed).encode(), **beside}
