"""The README's figure of speed, drawn from analysis/benchmarks/{sweep,fusing,bookkeeping}.json alone.

python tests/benchmarks/speed_figure.py          # writes analysis/gallery/{fusing,sweep}.png
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from analysis.figures.drawing import GREY, PALETTE
from analysis.figures.matplotlib_figures import STYLE
from analysis.svg.figure import BLACK

ANALYSIS = Path(__file__).parents[2] / "analysis"
MEMBERS = 16
PAYS = 1.1
"""A bar of less is grey: training together neither helps nor harms."""
ORDER = ("tutorial_tune", "loop", "optuna_processes", "careful_tune")


def known(name: str) -> dict[str, Any]:
    """Return one benchmark's JSON."""
    content: dict[str, Any] = json.loads((ANALYSIS / "benchmarks" / f"{name}.json").read_text())
    return content


def tidy(axes: Axes, grid: str = "both") -> None:
    """Leave two spines and a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color=GREY, alpha=0.25, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def sweep(axes: Axes, found: dict[str, Any]) -> None:
    """Draw the seconds of the whole sweep, ours and rivals', on a logarithmic axis."""
    rivals = found["rivals"]
    order = sorted(
        (name for name in ORDER if name in rivals), key=lambda name: statistics.median(rivals[name]["seconds_scaled"])
    )
    bars = [("this project", found["ours_seconds"], PALETTE[0], "")]
    for name in order:
        one = rivals[name]
        bars.append((one["name"], one["seconds_scaled"], GREY, f"   {one['ratio']:.0f}x"))
    for place, (_, seconds, colour, ratio) in enumerate(bars):
        middle = statistics.median(seconds)
        axes.barh(place, middle, color=colour, height=0.62)
        axes.plot(seconds, [place] * len(seconds), "o", color=BLACK, markersize=2.5)
        axes.text(max(seconds) * 1.12, place, f"{middle:.0f} s{ratio}", va="center", color=BLACK)
    axes.set_xscale("log")
    axes.set_yticks(range(len(bars)), [name.replace(", ", ",\n", 1) for name, *_ in bars])
    axes.invert_yaxis()
    axes.set_xlim(left=4, right=12 * max(max(seconds) for _, seconds, *_ in bars))
    axes.set_xlabel("seconds from the command to the table of results (log)")
    axes.set_title("64 configurations x 6 seeds of entropy clustering, 5,000 x 784", loc="left")
    tidy(axes, "x")


def members(axes: Axes, found: dict[str, Any]) -> None:
    """Draw how much faster a trial trains in a bundle than alone, against the size of the bundle."""
    kinds = {
        "entropy": ("linear head, arms of one seed\n(a whole epoch)", "o"),
        "mlp": ("MLP 64-64-10\n(a training step)", "s"),
    }
    for colour, (kind, (label, marker)) in zip(PALETTE[:2], kinds.items(), strict=True):
        rows = [row for row in found["curves"] if kind in (row.get("method"), row.get("network"))]
        x = [row["members"] for row in rows]
        ratios = [row["over_alone"] for row in rows]
        low, high = zip(*(ratio["quartiles"] for ratio in ratios), strict=True)
        axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(x, [ratio["median"] for ratio in ratios], marker=marker, markersize=4, color=colour)
        end = ratios[-1]["median"]
        axes.annotate(label, (x[-1], end), (6, 0), textcoords="offset points", va="center", color=colour)
    axes.axhline(1.0, color=GREY, linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.set_xticks(x, [str(one) for one in x])
    axes.set_xlim(1, x[-1] * 12)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("trials trained together")
    axes.set_ylabel("speed of a trial, alone = 1")
    axes.set_title("More of them: the same bits in less time (one core)", loc="left")
    tidy(axes)


def programs(axes: Axes, found: dict[str, Any]) -> None:
    """Draw the gain of 16 members over one alone, for each network's training step and each method's epoch."""
    rows = [row for row in found["networks"] if row["members"] == MEMBERS]
    names = [f"{_network(row)}, step" for row in rows]
    methods = [row for row in found["methods"] if row["members"] == MEMBERS and row["knobs"].get("view") is None]
    rows += methods
    names += [f"{row['method']}, {row['knobs'].get('network', 'linear')}, epoch" for row in methods]
    order = sorted(range(len(rows)), key=lambda place: -float(rows[place]["over_alone"]["median"]))
    for place, index in enumerate(order):
        ratio = rows[index]["over_alone"]
        axes.barh(place, ratio["median"], color=PALETTE[0] if ratio["median"] > PAYS else GREY, height=0.62)
        axes.plot(ratio["quartiles"], [place, place], color=BLACK, linewidth=1.2)
        axes.text(ratio["quartiles"][1] + 0.08, place, f"{ratio['median']:.2f}", va="center", color=BLACK)
    axes.set_yticks(range(len(order)), [names[index] for index in order])
    axes.invert_yaxis()
    axes.axvline(1.0, color=BLACK, linewidth=0.8)
    axes.set_xlim(0, 1.15 * max(float(row["over_alone"]["quartiles"][1]) for row in rows))
    axes.set_xlabel("speed of a trial, alone = 1 (median, quartiles)")
    axes.set_title(f"{MEMBERS} trials trained together", loc="left")
    tidy(axes, "x")


def _network(row: dict[str, Any]) -> str:
    if row["network"] in ("linear", "mlp"):
        return "-".join(str(width) for width in (*row["shape"], *row["hidden"], 10))
    return f"{row['network']} {row['shape'][1]} x {row['shape'][2]}"


def main() -> None:
    """Draw what there are numbers for."""
    with mpl.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(10.5, 3.8), layout="constrained", gridspec_kw={"width_ratios": [1, 1.05]}
        )
        programs(left, known("fusing"))
        members(right, known("fusing"))
        figure.savefig(ANALYSIS / "gallery" / "fusing.png", dpi=150, metadata={"Software": None})
        if (ANALYSIS / "benchmarks" / "sweep.json").exists():
            figure, axes = plt.subplots(figsize=(7.5, 3.0), layout="constrained")
            sweep(axes, known("sweep"))
            figure.savefig(ANALYSIS / "gallery" / "sweep.png", dpi=150, metadata={"Software": None})


if __name__ == "__main__":
    main()
