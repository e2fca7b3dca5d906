"""A drawing surface for the page: matplotlib paints, and what comes out is small, repeatable, themable SVG.

matplotlib knows one set of colours; the page has a light, a dark and a printed one. So charts are painted in
marker colours, and the finished SVG names the page's CSS variable in the place of each. Text stays text
(searchable, readable aloud, in the page's font), ids carry the chart's own prefix so that several charts share a
page, and coordinates keep one decimal.
"""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010101"
SOFT = "#020202"
RULE = "#030303"
ACCENT = "#040404"
ACCENT_SOFT = "#050505"
BAND = "#060606"
BAND_WIDE = "#070707"
BUDGET = "#080808"
PAPER = "#090909"

_VARIABLES = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    RULE: "var(--rule)",
    ACCENT: "var(--accent)",
    ACCENT_SOFT: "var(--accent-soft)",
    BAND: "var(--band)",
    BAND_WIDE: "var(--band-wide)",
    BUDGET: "var(--budget)",
    PAPER: "var(--paper)",
}
LIGHT = {
    "--ink": "#17202a",
    "--soft": "#4b5967",
    "--rule": "#d5dce3",
    "--accent": "#1d4f7c",
    "--accent-soft": "#dce8f2",
    "--band": "#9dbcd8",
    "--band-wide": "#d6e4f0",
    "--budget": "#9a4a06",
    "--paper": "#ffffff",
}
"""The light colours of templates/page.css, for charts that stand outside the page."""
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "text.usetex": False,
    "font.family": "DejaVu Sans",
    "font.size": 12.0,
    "path.simplify": True,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.formatter.use_locale": False,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "ytick.major.size": 0.0,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "hatch.linewidth": 1.1,
    "text.color": INK,
}
_DPI = 72
_DEFAULTS = r"stroke-linejoin: (?:miter|round);? ?|stroke-linecap: (?:butt|square);? ?"
_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"


def draw(
    paint: "Callable[[Figure], None]",
    *,
    chart_id: str,
    title: str,
    description: str,
    width_px: int,
    height_px: int,
) -> str:
    """Return one inline SVG of width_px x height_px, painted by `paint`; same input, same bytes.

    One point of the drawing is one CSS pixel at natural size. title is read aloud as the chart's name,
    description as its content.
    """
    import matplotlib.style  # here, because matplotlib costs a second that a command without charts should not pay
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", {**_STYLE, "svg.hashsalt": chart_id}]):
        figure = Figure(figsize=(width_px / _DPI, height_px / _DPI), dpi=_DPI)
        figure.patch.set_visible(False)
        paint(figure)
        raw = io.BytesIO()
        figure.savefig(raw, format="svg", metadata={"Date": None})
    return _tidy(raw.getvalue(), chart_id, title, description)


def standalone(inline: str, background: str = "#ffffff") -> str:
    """Return an SVG of `draw` as a file of its own: namespace, size, and the light colours of the page.

    Raises ValueError where `inline` is none of ours.
    """
    root = ElementTree.fromstring(inline)  # noqa: S314  (written by `draw`, never read from outside)
    if root.tag != "svg":
        raise ValueError(f"expected an svg, got {root.tag}")
    _, _, width, height = root.get("viewBox", "0 0 1 1").split()
    root.attrib.pop("class", None)
    root.attrib.pop("style", None)
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.attrib.update({"width": width, "height": height, "font-family": "system-ui, sans-serif"})
    root.insert(0, ElementTree.Element("rect", {"width": "100%", "height": "100%", "fill": background}))
    text = ElementTree.tostring(root, encoding="unicode")
    for variable, colour in LIGHT.items():
        text = text.replace(f"var({variable})", colour)
    return text + "\n"


def _tidy(raw: bytes, chart_id: str, title: str, description: str) -> str:
    """Turn matplotlib's document into an inline element that is named, prefixed, themed and small."""
    root = ElementTree.fromstring(raw)  # noqa: S314  (written by matplotlib a moment ago, never read from outside)
    kept = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', raw.decode()))
    _clean(root, kept, chart_id)
    view = root.get("viewBox", "0 0 1 1")
    width = view.split()[2]
    root.attrib.clear()
    root.attrib.update(
        {"class": "chart", "viewBox": view, "role": "img", "style": f"max-width:{float(width):g}px"}
    )
    root.set("aria-labelledby", f"{chart_id}-title {chart_id}-desc")
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        child = ElementTree.Element(tag, {"id": f"{chart_id}-{tag}"})
        child.text = text
        root.insert(position, child)
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: ElementTree.Element, kept: set[str], prefix: str) -> None:
    """Rewrite one element and all below it, in place."""
    element.tag = element.tag.removeprefix(_SVG)
    element.text = element.text if element.tag == "text" else None
    element.tail = None
    for child in list(element):
        _clean(child, kept, prefix)
        if child.tag in ("metadata", "style", "clipPath") or _draws_nothing(child):
            element.remove(child)
    _lift_bare_groups(element)
    for name, value in list(element.attrib.items()):
        del element.attrib[name]
        tidy = _attribute(name.removeprefix(_SVG), value, kept, prefix, element.tag)
        if tidy is not None:
            element.set(*tidy)


def _draws_nothing(element: ElementTree.Element) -> bool:
    """Say whether an element leaves no mark: an empty group, or a path without a stroke, a fill or a length."""
    if element.tag in ("defs", "g"):
        return not len(element)
    return element.tag == "path" and (
        element.get("style") == "fill:none" or not re.search("[LC]", element.get("d", "L"))
    )


def _lift_bare_groups(element: ElementTree.Element) -> None:
    """Put the children of groups that say nothing in the group's place."""
    children: list[ElementTree.Element] = []
    for child in element:
        children.extend(list(child) if child.tag == "g" and not child.attrib else [child])
    element[:] = children


def _attribute(name: str, value: str, kept: set[str], prefix: str, tag: str) -> tuple[str, str] | None:
    """Return the attribute as it stands on the page, or None where it says nothing."""
    if name == "id":
        return ("id", f"{prefix}-{value}") if value in kept else None
    if name == _HREF:
        return "href", f"#{prefix}-{value.removeprefix('#')}"
    if name == "clip-path":  # every chart keeps its marks within its axes
        return None
    if name == "style":
        value = _text_style(value) if tag == "text" else re.sub(_DEFAULTS, "", value)
    if name == "transform":
        value = re.sub(r"rotate\(-?0 [^)]*\)", "", value)
    if name in ("d", "x", "y", "width", "height", "transform", "points"):
        value = _round_numbers(value, places=4 if "scale" in value else 1)
    for marker, variable in _VARIABLES.items():
        value = value.replace(marker, variable)
    value = value.replace("url(#", f"url(#{prefix}-")
    value = re.sub(r"\s+", " ", value).strip().replace("; ", ";").replace(": ", ":").strip(";")
    value = re.sub(r" ?([MLCz]) ?", r"\1", value) if name == "d" else value
    return (name, value) if value else None


def _text_style(style: str) -> str:
    """Keep the size, weight, anchor and colour of a text; the family is the page's."""
    size = re.search(r"([\d.]+)px", style)
    rest = [
        part for part in style.split(";") if not part.strip().startswith("font") and "anchor: start" not in part
    ]
    weight = ["font-weight:600"] if re.search(r"font:\s*(bold|[67]00)", style) else []
    return ";".join([f"font-size:{size.group(1)}px" if size else "", *weight, *(p.strip() for p in rest)]).strip(
        ";"
    )


def _round_numbers(text: str, places: int) -> str:
    """Shorten every decimal number in a path or position; -0.0 becomes 0."""
    return re.sub(r"-?\d+\.\d+(?:e-?\d+)?", lambda match: _shorten(match.group(), places), text)


def _shorten(number: str, places: int) -> str:
    shown = f"{float(number):.{places}f}".rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown
