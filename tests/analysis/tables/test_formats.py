"""Tables in HTML and LaTeX: signs that mean something there are written so that they stand."""

from __future__ import annotations

from analysis.tables import formats


def test_latex_escapes_and_aligns():
    text = formats.as_latex(["arm", "NMI (%)"], [["a_b & c", "−1.0"]], "50 % of #1", "key")
    assert r"a\_b \& c & $-$1.0 \\" in text and r"\caption{50 \% of \#1}" in text and r"\begin{tabular}{lr}" in text


def test_html_is_escaped():
    assert '<td class="text">&lt;b&gt;</td>' in formats.as_html(["x"], [["<b>"]])
