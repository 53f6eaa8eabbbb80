import io

import matplotlib as mpl
from matplotlib.figure import Figure

from analysis.figures import drawing, text_sizes


def drawn(label):
    with mpl.rc_context(drawing.STYLE):
        figure = Figure(figsize=(3.0, 2.0), layout="constrained")
        axes = figure.subplots()
        axes.plot([1.0, 1000.0], [0.1, 10.0], label=label)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylabel(label)
        axes.legend()
        made = io.BytesIO()
        figure.savefig(made, format="svg", metadata={"Date": None})
        raster = io.BytesIO()
        figure.savefig(raster, format="png", dpi=90, metadata={"Software": None})
    return made.getvalue(), raster.getvalue()


def test_figures_are_the_same_bytes_with_sizes_that_are_remembered(monkeypatch):
    text = mpl.text
    monkeypatch.setattr(text, "_get_text_metrics_function", text._get_text_metrics_function)  # put back at the end
    monkeypatch.setattr(text_sizes.MathTextParser, "_parse_cached", text_sizes.MathTextParser._parse_cached)
    plain = [drawn(label) for label in ("norm", "$x^2$", "norm")]
    text_sizes.remember.cache_clear()
    text_sizes.remember()
    assert [drawn(label) for label in ("norm", "$x^2$", "norm")] == plain


def test_formulas_are_parsed_once_for_all_figures(monkeypatch):
    parsed = []
    monkeypatch.setattr(
        text_sizes.MathTextParser, "_parse_cached", text_sizes._parsing(lambda parser, *of: parsed.append(of) or of)
    )
    first, second = text_sizes.MathTextParser("path"), text_sizes.MathTextParser("path")
    assert first.parse("$a$") == second.parse("$a$")
    assert len(parsed) == 1
