"""Options are read from a script's text."""

from __future__ import annotations

from orchestrator.own.script_options import options_of

TEXT = """
parser.add_argument("-l", "--learning-rate", type=float, default=1e-3)
parser.add_argument("--fast", action="store_true")
parser.add_argument("--noise", action=argparse.BooleanOptionalAction, default=False)
parser.add_argument("--widths", nargs="+", default=[64, 32])
parser.add_argument("--computed", default=os.cpu_count())
parser.add_argument("--no-sharpen", action="store_false", dest="sharpen")
parser.add_argument("--crop", action="store_false")
parser.add_argument("--step-size", type=float, default=0.5, dest="lr")
parser.add_argument("--view", action="append", default=[2])
parser.add_argument("path")
@click.option("--layer", multiple=True, default=[8])
@click.option("--balance/--no-balance", default=True)
def main(): ...
"""


def test_argparse_and_click(tmp_path):
    (tmp_path / "a.py").write_text(TEXT)
    found = options_of([tmp_path / "a.py", tmp_path / "absent.py"])
    known = {name: (one.spelled, one.default, one.has_default, one.switch) for name, one in found.items()}
    assert known == {
        "learning_rate": ("--learning-rate", 0.001, True, "value"),
        "fast": ("--fast", False, True, "switch"),
        "noise": ("--noise", False, True, "pair"),
        "widths": ("--widths", (64, 32), True, "value"),
        "computed": ("--computed", None, False, "value"),
        "no_sharpen": ("--no-sharpen", False, True, "switch"),
        "sharpen": ("--no-sharpen", True, True, "absence"),
        "crop": ("--crop", True, True, "absence"),
        "step_size": ("--step-size", 0.5, True, "value"),
        "lr": ("--step-size", 0.5, True, "value"),
        "view": ("--view", None, False, "each"),
        "layer": ("--layer", (8,), True, "each"),
        "balance": ("--balance", True, True, "pair"),
    }
