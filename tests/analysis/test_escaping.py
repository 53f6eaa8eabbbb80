"""Markdown shows a text of the ledger as it is written, and makes nothing else of it."""

import pytest

from analysis.escaping import markdown

PLANTED = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://elsewhere/pixel)",
    "<http://elsewhere>",
    "`code`",
    "$\\href{javascript:alert(1)}{x}$",
    "&lt;script&gt;",
    "<!-- comment",
]


@pytest.mark.parametrize("text", PLANTED)
def test_a_text_that_is_markup_is_shown_as_text(text):
    markdown_it = pytest.importorskip("markdown_it")
    html = markdown_it.MarkdownIt("commonmark").render(markdown(text))
    shown = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert "<p>" + text + "</p>" == shown.strip()
    assert not any(tag in html for tag in ("<script", "<img", "<a ", "<code", "<!--"))


def test_lines_and_headings_of_a_text_do_not_begin_blocks():
    assert "\n" not in markdown("first\n\n# second\n---\n* third")


@pytest.mark.parametrize(
    "text", ["p < 0.001", "NMI −4.2 points (95 % interval −17.0 to +0.0)", "k_means, n_init=5", "a & b"]
)
def test_a_sentence_of_ours_is_left_as_it_is(text):
    assert markdown(text) == text
