"""How preservation of sampled neighbours and NMI go over the epochs of a study, and how they hang together.

    python tests/benchmarks/preservation_over_training.py [--results analysis/ledger] [--study NAME]

Per arm: both at the first epoch, at a quarter, half and all of training (means over seeds); then, within a trial and
over its evaluations, Spearman's rank correlation of NMI with preservation then, and of what NMI gains until the next
evaluation with preservation now (median over seeds, and on how many seeds it is above 0); evaluations of epochs that
sampled no noise are left out. Last, over the seeds of an arm, the correlation of both at the end. It describes and
tests nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data import study_view

ROOT = Path(__file__).parents[2]
STUDY, KEPT, QUALITY, NOISE = (
    "does_quality_follow_preserved_neighbours",
    "metric.semantic_preservation",
    "metric.nmi",
    "diagnostic.relative_noise",
)


def ranks_agree(one: pd.Series[float], other: pd.Series[float]) -> float:
    """Return Spearman's rank correlation, NaN where either stands still."""
    return float(one.rank().corr(other.rank()))


def within(curve: pd.DataFrame) -> tuple[float, float]:
    """Return one trial's correlations with preservation: of NMI, and of what NMI gains until the next evaluation."""
    gain = -curve[QUALITY].diff(-1)
    there = gain.notna()
    return ranks_agree(curve[QUALITY], curve[KEPT]), ranks_agree(gain[there], curve.loc[there, KEPT])


def told(name: str, values: list[float]) -> str:
    """Return the median of correlations and how many are positive."""
    known = np.array([value for value in values if np.isfinite(value)])
    if not len(known):
        return f"{name} unknown"
    return f"{name} {np.median(known):+.2f} (above 0 on {int((known > 0).sum())} of {len(known)})"


def nearest(curves: pd.DataFrame, epoch: int) -> pd.DataFrame:
    """Return of each trial the evaluation nearest to an epoch: a committed ledger keeps some of them."""
    away = (curves["epoch"] - epoch).abs()
    return curves.loc[away.groupby(curves["trial_id"]).idxmin()]


def lines_of(arm: str, curves: pd.DataFrame) -> list[str]:
    """Return what is said of one arm."""
    lines, n_epochs = [arm], int(curves["epoch"].max())
    for epoch in (1, n_epochs // 4, n_epochs // 2, n_epochs):
        means = nearest(curves, epoch)[[KEPT, QUALITY]].mean()
        lines.append(f"  epoch {epoch:>3}: preservation {means[KEPT]:.3f}, NMI {100 * means[QUALITY]:.1f}")
    sampled = curves[curves[NOISE] > 0]
    found = [within(curve) for _, curve in sampled.groupby("trial_id")]
    lines.append("  " + told("within trials", [now for now, _ in found]))
    lines.append("  " + told("with the next gain", [gain for _, gain in found]))
    last = nearest(curves, n_epochs)
    lines.append(f"  over seeds at the end {ranks_agree(last[KEPT], last[QUALITY]):+.2f}")
    return lines


def main() -> None:
    """Print all arms."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, default=ROOT / "analysis/ledger")
    parser.add_argument("--study", default=STUDY)
    options = parser.parse_args()
    study = study_view.load(options.results, options.study)
    curves = study_view.epochs_of(study, study.rows).dropna(subset=[KEPT]).sort_values("epoch")
    for arm, here in curves.groupby("arm", sort=False):
        print("\n".join(lines_of(str(arm), here)))


if __name__ == "__main__":
    main()
