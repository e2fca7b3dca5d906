"""Write the golden page and the documented schema anew, after looking at what changed.

Run `.venv/bin/python tests/reports/refresh.py` from the root of the repository, open
tests/reports/golden/budget.html in a browser, and commit both files with the change that made them differ.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> None:
    sys.path[:0] = [str(ROOT), str(HERE)]
    from example import example_report

    from reports.budget import json_schema
    from reports.render import render_html

    (HERE / "golden").mkdir(exist_ok=True)
    (HERE / "golden" / "budget.html").write_text(render_html(example_report()), encoding="utf-8", newline="")
    schema = json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"
    (ROOT / "docs" / "plan.schema.json").write_text(schema, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
