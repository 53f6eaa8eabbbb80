import hashlib
import io
import subprocess
import sys
from types import SimpleNamespace

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


def told():
    """Print what figures are, in a process that remembers sizes only if it is asked to."""
    print(hashlib.sha256(b"".join(part for label in ("norm", "$x^2$", "norm") for part in drawn(label))).hexdigest())


def test_figures_are_the_same_bytes_with_sizes_that_are_remembered():
    made = []
    for first in ("", "from analysis.figures import text_sizes; text_sizes.remember(); "):
        line = f"{first}import runpy; runpy.run_path({__file__!r})['told']()"
        made.append(subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout)
    assert made[0] == made[1] and len(made[0]) == 65


def test_formulas_are_parsed_once_for_all_figures():
    asked = []
    parse = text_sizes.parsed_once(lambda parser, *of: asked.append(of) or of)
    first, second, other = (SimpleNamespace(_output_type=kind) for kind in ("path", "path", "agg"))
    assert parse(first, "$a$") == parse(second, "$a$") == ("$a$",)
    assert len(asked) == 1
    assert parse(other, "$a$") == ("$a$",) and len(asked) == 2, "each kind of output has a parse of its own"
