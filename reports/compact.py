"""The page made smaller without a loss: a style that charts repeat is written once and named."""

import re
from collections import Counter

_TAG = re.compile(r"<(?!svg\b)([a-zA-Z]+)((?: [^<>]*?)?) style=\"([^\"<>]*)\"([^<>]*)>")
"""A tag with a style, but for a chart's root, whose style is its own. Text is none of them: its < is &lt;."""


def share_styles(html: str) -> str:
    """Return the page with every style that stands twice or more within its charts as a class of the style sheet.

    Classes are named by the order in which styles first stand, so the same page gives the same bytes.

    >>> share_styles('<style></style><svg><g style="a:b"/><g style="a:b"/><g style="c:d"/></svg>')
    '<style>.s0{a:b}\\n</style><svg><g class="s0"/><g class="s0"/><g style="c:d"/></svg>'
    """
    charts = re.compile(r"<svg\b.*?</svg>", re.S)
    counted = Counter(
        tag.group(3) for chart in charts.finditer(html) for tag in _TAG.finditer(chart.group(0)) if _alone(tag)
    )
    names = {style: f"s{n}" for n, style in enumerate(s for s, count in counted.items() if count > 1)}

    def named(tag: re.Match[str]) -> str:
        name, before, style, after = tag.groups()
        if style not in names or not _alone(tag):
            return tag.group(0)
        return f'<{name}{before} class="{names[style]}"{after}>'

    shared = charts.sub(lambda chart: _TAG.sub(named, chart.group(0)), html)
    rules = "".join(f".{name}{{{style}}}\n" for style, name in names.items())
    return shared.replace("</style>", f"{rules}</style>", 1)


def _alone(tag: re.Match[str]) -> bool:
    """Return whether a tag has no class of its own, which a second one would replace."""
    return ' class="' not in tag.group(2) + tag.group(4)
