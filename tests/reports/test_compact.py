"""A smaller page says the same: styles by name are those that stood there, and text is left alone."""

import re

from reports.compact import share_styles


def test_the_page_has_each_chart_style_once_and_draws_the_same(page):
    rules = dict(re.findall(r"^\.(s\d+)\{(.*)\}$", page, flags=re.M))
    used = re.findall(r'class="(s\d+)"', page)

    assert rules
    assert set(used) == set(rules)
    assert len(set(rules.values())) == len(rules)
    assert all(used.count(name) > 1 for name in rules)
    left = re.findall(r' style="([^"]*)"', "".join(re.findall(r"<svg\b.*?</svg>", page, flags=re.S)))
    assert not set(left) & set(rules.values())


def test_text_that_looks_like_a_style_stays_text():
    chart = '<svg><text style="a:b"> style="a:b" &lt;g style="a:b"></text><g style="a:b"/></svg>'
    shared = share_styles(f'<style></style><p style="a:b">x</p>{chart}')

    assert shared.count(' style="a:b"') == 3  # the paragraph's own, and the two in the text
    assert "<style>.s0{a:b}\n</style>" in shared


def test_a_tag_with_a_class_keeps_its_style():
    html = '<style></style><svg><g class="x" style="a:b"/><g style="a:b"/><g style="a:b"/></svg>'

    assert '<g class="x" style="a:b"/>' in share_styles(html)
