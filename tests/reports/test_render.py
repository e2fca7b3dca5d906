import itertools
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.budget import Currency
from reports.render import PublishedFile, _environment, render_html

GOLDEN = Path(__file__).parent / "golden" / "budget.html"
VOID = {"meta", "br", "hr", "img", "input", "link", "col"}
PAGES = ["page", "hostile_page", "sparse_page"]
CSS = (Path(__file__).parents[2] / "reports" / "templates" / "page.css").read_text()


class Outline(HTMLParser):
    """What a page is made of: its tags in order, and whether each closes where it should."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text, self.faults = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append((tag, self.getpos()))

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    def named(self, tag):
        return [attrs for name, attrs, _ in self.tags if name == tag]


@pytest.fixture(params=PAGES)
def outline(request):
    return Outline(request.getfixturevalue(request.param))


def test_the_page_is_the_golden_one(page):
    assert page == GOLDEN.read_text(encoding="utf-8"), (
        "the page has changed: run .venv/bin/python tests/reports/refresh.py, look at it, and commit it"
    )


def test_the_same_report_renders_the_same_bytes(report, page):
    assert render_html(report) == page


def test_the_page_stays_under_500_kib_with_three_workloads_and_years_of_history(large):
    assert len(render_html(large).encode()) <= 500 * 1024


def test_every_tag_closes_where_it_should(outline):
    assert outline.faults == []
    assert outline.open == []


def test_nothing_runs_and_nothing_is_fetched(outline):
    names = {name for name, _, _ in outline.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "video", "audio"}
    for _, attrs, _ in outline.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert attrs.get(name, "#").startswith("#"), attrs
        assert not re.search(r"url\((?!#)", attrs.get("style") or "")
    policy = next(a["content"] for a in outline.named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_every_anchor_leads_somewhere_and_no_id_is_used_twice(outline):
    ids = [attrs["id"] for _, attrs, _ in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for a in outline.named("a") + outline.named("use")}
    labels = {i for _, attrs, _ in outline.tags for i in (attrs.get("aria-labelledby") or "").split()}
    assert targets | labels <= set(ids)


def test_headings_go_down_one_step_at_a_time(outline):
    levels = [int(name[1]) for name, _, _ in outline.tags if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))


def test_every_chart_has_a_title_and_a_table_behind_it(outline):
    charts = [i for i, (name, attrs, _) in enumerate(outline.tags) if name == "svg"]
    for i in charts:
        assert outline.tags[i][1]["role"] == "img"
        assert [name for name, _, _ in outline.tags[i + 1 : i + 3]] == ["title", "desc"]
    figures = sum(name == "figure" for name, _, _ in outline.tags)
    behind = sum(name == "table" and "details" in above and "figure" in above for name, _, above in outline.tags)
    assert len(charts) == figures == behind


def test_every_table_has_a_caption_and_its_heads_a_scope(outline):
    assert len(outline.named("table")) == len(outline.named("caption"))
    assert all(attrs.get("scope") in {"col", "row", "rowgroup"} for attrs in outline.named("th"))


def test_every_row_of_a_table_is_as_wide_as_its_head(page):
    for table in re.findall(r"<table.*?</table>", page, re.S):
        widths = set()
        for row in re.findall(r"<tr.*?</tr>", table, re.S):
            spans = re.findall(r"<t[hd]\b([^>]*)>", row)
            widths.add(sum(int((re.search(r'colspan="(\d+)"', s) or [0, 1])[1]) for s in spans))
        assert len(widths) == 1, table[:200]


def test_hostile_names_appear_as_text(hostile_page):
    assert "<img" not in hostile_page
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt;" in hostile_page
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", hostile_page)
    assert r"$\frac{1}{2}$" in "".join(Outline(hostile_page).text)


def test_a_workload_without_history_is_marked_on_every_level(page, sparse_page):
    assert page.count('<em class="flag">no history</em>') == 1
    assert page.count('<em class="flag">assumption</em>') == 1
    assert page.count("<strong>Assumption, no history.</strong>") == 1
    assert "has no history: its demand is an assumption, not a forecast" in sparse_page


def test_what_is_unknown_is_a_dash_that_says_so(sparse_page):
    text = "".join(Outline(sparse_page).text)
    assert '<abbr title="unknown">–</abbr>' in sparse_page
    assert not re.search(r"\b(None|nan|NaN|inf|undefined)\b", text)
    assert "$0" not in text


def test_the_first_screen_holds_decision_figures_and_risks(page, report):
    first = page[page.index('<section id="decision"') : page.index('<section id="horizons"')]
    assert report.decision.headline in first
    assert "decide by 30 Nov 2026" in first
    assert first.count('<dd class="big">') == 4
    assert "<svg" in first
    assert "What could go wrong" in first


def test_the_page_says_where_every_price_comes_from_and_when(page, report):
    text = "".join(Outline(page).text)
    for offer in report.provenance.prices:
        assert offer.source in text
    assert "20 Nov 2026" in text
    for digest in ("input_digest", "config_sha256", "store_sha256", "catalog_sha256"):
        assert getattr(report.provenance, digest) in text


def test_files_beside_the_page_are_listed_with_their_hash(report):
    page = render_html(report, files=[PublishedFile(name="costs.csv", sha256="ab" * 32, bytes=12_345)])
    assert "Files beside this page" in page
    assert "ab" * 32 in page
    assert "12.3 KB" in page


def test_another_currency_is_used_for_every_amount_and_its_rate_is_stated(report):
    from datetime import date

    euro = Currency(code="EUR", per_usd=0.5, rate_date=date(2026, 11, 20), source="ECB reference rate")
    page = render_html(replace(report, currency=euro))
    figures = page[page.index('<dl class="figures">') : page.index("</dl>")]
    assert "€" in figures
    assert "$" not in figures
    assert "EUR, 0.5 per USD on 20 Nov 2026; ECB reference rate" in page


def test_many_workloads_stay_readable_on_the_first_screen(report):
    chat = report.workloads[0]
    many = [replace(chat, name=f"chat-{i}") for i in range(8)]
    page = render_html(replace(report, workloads=many))
    first = page[page.index('<section id="decision"') : page.index('<section id="horizons"')]
    assert first.count('scope="row"') == len(report.months) + 5
    assert "And 3 more" in first


def test_other_horizons_and_no_demand_at_all_still_make_a_page(report):
    chat = report.workloads[0]
    nothing = dict.fromkeys(("mean", "q2_5", "q10", "q50", "q90", "q97_5"), [0.0] * len(chat.traffic.days))
    still = replace(chat.traffic, history=[0.0] * len(chat.traffic.history), **nothing)
    short = replace(chat, traffic=still, horizons=chat.horizons[:2], hour_of_week=[0.0] * 168)
    decision = replace(report.decision, usd_365_days=None)
    page = render_html(replace(report, workloads=[short], decision=decision))

    test_every_row_of_a_table_is_as_wide_as_its_head(page)
    assert "this plan reaches 90 days" in page
    assert "no known price" not in "".join(Outline(page[: page.index('<section id="w1"')]).text).replace(
        "cost lines have no known price", ""
    )
    assert "Traffic is taken as even over the hours of the week" in page


def test_a_number_that_no_format_has_rounded_cannot_reach_the_page(report):
    env = _environment(report.currency)
    with pytest.raises(TypeError, match=r"1\.5 reached the page unformatted"):
        env.from_string("{{ value }}").render(value=1.5)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_aa_asks(mode):
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in _roots())
    colours = light if mode == "light" else light | dark
    for ground in ("paper", "panel"):
        for ink in ("ink", "soft", "accent", "budget"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (mode, ink, ground)


def _roots():
    found = re.findall(r":root \{(.*?)\}", CSS, re.S)
    assert len(found) == 2
    return found


def _contrast(a, b):
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour):
    """Relative luminance, WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


PROBE = """<script>addEventListener('load', () => { document.title = JSON.stringify({
  width: innerWidth, scroll: document.documentElement.scrollWidth,
  bottom: document.querySelector('#decision').getBoundingClientRect().bottom,
  parts: ['.headline', '.figures', '#decision svg', '#decision .risks'].map(
    s => document.querySelector(s).getBoundingClientRect().height)}) })</script></body>"""


def _chromium(*options):
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("FLEETCAST_REQUIRE_TOOLS") == "1":
            pytest.fail("chromium is not on the PATH, and FLEETCAST_REQUIRE_TOOLS=1 says it must be")
        pytest.skip("chromium is not on the PATH; install it to see the page in a real browser")
    quiet = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
    return [found, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", *quiet, *options]


def _measure(page, width, height, tmp_path):
    probed = page.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
    target = tmp_path / "probe.html"
    target.write_text(probed.replace("</body>", PROBE), encoding="utf-8")
    options = (f"--user-data-dir={tmp_path}/profile", f"--window-size={width},{height}", "--hide-scrollbars")
    command = _chromium(*options, "--dump-dom", target.as_uri())
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(re.search(r"<title>(\{.*?\})</title>", dom).group(1))


@pytest.mark.slow
def test_the_first_screen_fits_1280_by_800(page, tmp_path):
    seen = _measure(page, 1280, 800, tmp_path)
    assert seen["width"] == 1280
    assert seen["bottom"] <= 800
    assert all(height > 20 for height in seen["parts"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["page", "hostile_page"])
@pytest.mark.parametrize("width", [1280, 600])
def test_the_page_never_scrolls_sideways(name, width, request, tmp_path):
    seen = _measure(request.getfixturevalue(name), width, 900, tmp_path)
    assert seen["scroll"] <= seen["width"]


@pytest.mark.slow
def test_the_page_prints(page, tmp_path):
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    command = _chromium(f"--user-data-dir={tmp_path}/profile", "--no-pdf-header-footer",
                        f"--print-to-pdf={tmp_path}/page.pdf", (tmp_path / "page.html").as_uri())  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert "CONSOLE" not in done.stderr
