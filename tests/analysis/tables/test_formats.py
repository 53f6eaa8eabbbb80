"""Tables in HTML and LaTeX: signs that mean something there are written so that they stand."""

from __future__ import annotations

from analysis.tables import formats


def test_latex_escapes_and_aligns():
    text = formats.as_latex(["arm", "NMI (%)"], [["a_b & c", "−1.0"]], "50 % of #1", "key")
    assert r"a\_b \& c & $-$1.0 \\" in text and r"\caption{50 \% of \#1}" in text and r"\begin{tabular}{lr}" in text


def test_html_is_escaped():
    assert '<td class="text">&lt;b&gt;</td>' in formats.as_html(["x"], [["<b>"]])


def test_a_latex_column_is_set_right_if_all_that_stands_in_it_are_numbers():
    text = formats.as_latex(["a", "b", "c"], [["1.0", "< 0.001", ""], ["", "x", ""]], "c", "k")
    assert r"\begin{tabular}{rlr}" in text


def test_every_sign_that_latex_reads_is_escaped():
    text = formats.as_latex(["\\", "~^"], [["{$}", "a < b"]], "", "k")
    assert r"\textbackslash{} & \textasciitilde{}\textasciicircum{} \\" in text
    assert r"\{\$\} & a $<$ b \\" in text


def test_cells_of_a_page_say_on_which_side_they_stand():
    page = formats.as_html(["arm", "NMI"], [["a", "−1.0 [−2.0, 0.1]"], ["b", "–"]])
    assert page.count('class="number"') == 2 and page.count('class="text"') == 2
    assert page.count("<tr>") == 3


def test_files_are_written_side_by_side_under_one_name(tmp_path):
    paths = formats.write_formats({"csv": "a,b\n", "html": "<p>–</p>"}, "arms", tmp_path / "new")
    assert paths == {"csv": tmp_path / "new" / "arms.csv", "html": tmp_path / "new" / "arms.html"}
    assert {ending: path.read_text(encoding="utf-8") for ending, path in paths.items()} == {
        "csv": "a,b\n",
        "html": "<p>–</p>",
    }
