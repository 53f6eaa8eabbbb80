"""How often verdicts are wrong, where the truth is known: the table and the figure of `analysis/statistics.md`.

    python tests/benchmarks/verdict_errors.py            # some minutes; 4,000 studies a cell; writes table and figure
    python tests/benchmarks/verdict_errors.py 500        # fewer studies, nothing is written

Every cell goes through the functions that reports and runs call. A bounded cell may exceed its bound by three
Monte-Carlo standard errors; the command fails if one does not hold. Others say what happens where an assumption fails.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import verdict_generators as made
from verdict_other_errors import chance_gates, choices, equal_collapse, pooled_collapse, published, sequential

from analysis.pages import measured_errors
from orchestrator.inference.collapse_test import upper_bound
from orchestrator.inference.decisions import decide
from orchestrator.inference.paired_tests import deciding_interval_ends, holm
from orchestrator.inference.sign_flip import flip_group, sign_flip_p

SEED = 20_261_101
CELLS = ((1, 6), (5, 12), (10, 12), (5, 20))
ANALYSIS = Path(__file__).parents[2] / "analysis"
TARGET = ANALYSIS / "benchmarks" / "verdict_errors.json"


@dataclass(frozen=True)
class Cell:
    """One measured rate, in percent (or points)."""

    section: str
    row: str
    claim: str
    contrasts: int
    seeds: int
    measured: float
    error: float
    """Monte-Carlo standard error."""
    bound: float | None
    """None: printed only."""
    at_most: bool = True

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        slack = 3.0 * self.error
        return self.measured <= self.bound + slack if self.at_most else self.measured >= self.bound - slack


def rate(flags: np.ndarray) -> tuple[float, float]:
    """Percent of studies, and its standard error."""
    own = np.asarray(flags, dtype=float).reshape(len(flags), -1).mean(axis=1)
    return 100.0 * float(own.mean()), 100.0 * float(own.std() / np.sqrt(len(own)))


def against_baseline(m: int) -> np.ndarray:
    return np.column_stack([-np.ones(m), np.eye(m)])


def differences(n_studies: int) -> Iterator[Cell]:
    """False claims of a difference, claim by claim; a claim of one that is there is no error."""
    for number, row in enumerate(made.DIFFERENCES):
        for m, n in CELLS:
            values, works = row.draw(np.random.default_rng([SEED, number, m, n]), n_studies, m, n)
            found = decide(values, against_baseline(m), works=works)
            claims = {
                "differs": (found.effect, row.differs, 6.0),
                "better on most seeds": (found.most, row.most, 6.0),
                "works more often": (found.collapse, row.collapses, 5.0),
                "any difference": (found.effect | found.collapse, row.differs or row.collapses, 6.0),
            }
            for claim, (flags, there, bound) in claims.items():
                if not there:
                    yield Cell("difference", row.name, claim, m, n, *rate(flags.any(axis=-1)), bound)
            if not row.mean:  # nothing is claimed of the mean; read as if it were, the effect would be wrong this often
                symmetric = not (row.differs or row.collapses)
                claimed = rate(found.effect.any(axis=-1))
                yield Cell("difference", row.name, "read as the mean", m, n, *claimed, 6.0 if symmetric else None)


def equivalence(n_studies: int) -> Iterator[Cell]:
    """False claims of no typical difference at a margin of 3, and the collapse bound that stands beside it."""
    for number, (name, (draw, within)) in enumerate(made.EQUIVALENCE.items()):
        for m, n in ((1, 6), (1, 10), (5, 12), (5, 20)):
            values, works = draw(np.random.default_rng([SEED, 50 + number, m, n]), n_studies, m, n)
            found = decide(values, against_baseline(m), works=works, margin=3.0)
            bound = None if within or name == made.ASSUMED else 5.0
            claim = "no difference (true)" if within else "no difference"
            yield Cell("equivalence", name, claim, m, n, *rate(found.equivalent.any(axis=-1)), bound)
    for true_rate in (0.02, 0.1, 0.3):
        for n in (6, 12, 20):
            random = np.random.default_rng([SEED, 70, n, int(100 * true_rate)])
            gone = (random.random((n_studies, n)) < true_rate).sum(axis=-1)
            covers = np.array([upper_bound(k, n) for k in range(n + 1)])[gone] >= true_rate
            yield Cell("equivalence", f"bound of collapse, {true_rate:.0%}", "covers", 1, n, *rate(covers), 95.0, False)
    random = np.random.default_rng([SEED, 71])
    for m, n in ((4, 12), (10, 12)):
        values, works = made.at_margin(made.normal, 0.0)(random, n_studies, m, n)
        values[:, 1 : 1 + m // 2] += 3.0
        found = decide(values, against_baseline(m), works=works, margin=3.0)
        wrong = found.effect[:, : m // 2].any(axis=-1) | found.equivalent[:, m // 2 :].any(axis=-1)
        yield Cell("equivalence", "half of the contrasts null, half at the margin", "any", m, n, *rate(wrong), None)


def power(n_studies: int) -> Iterator[Cell]:
    """What must be found: floors, so that saying nothing does not pass."""
    for n, floor, same in ((10, 43.0, 46.0), (12, 60.0, 72.0), (20, 87.0, 99.0)):
        random = np.random.default_rng([SEED, 80, n])
        values, works = made.study(random, n_studies, 5, n, *[lambda r, s: r.normal(0, 3 / np.sqrt(2), s)] * 2)
        found = decide(values, against_baseline(5), works=works, margin=3.0)
        yield Cell(
            "power", "true difference 0, sd 3, margin 3", "no difference", 5, n, *rate(found.equivalent), same, False
        )
        for row, cost in (("sign flips and Holm alone", 1.0), ("read from two-sided 95 % intervals", 2.0)):
            alone = tost_and_holm(values, cost)
            yield Cell("power", f"the same, {row}", "no difference", 5, n, *rate(alone), None, False)
        values[:, 1] += 3.0
        found = decide(values, against_baseline(5), works=works)
        yield Cell(
            "power", "difference of 1 sd in one contrast", "differs", 5, n, *rate(found.effect[:, 0]), floor, False
        )
        flips = holm(sign_flip_p(values[:, 1:] - values[:, :1])) <= 0.05
        yield Cell("power", "the same, sign flips and Holm alone", "differs", 5, n, *rate(flips[:, 0]), None, False)
    values, works = made.collapsing((0.0, 5 / 12))(np.random.default_rng([SEED, 81]), n_studies, 1, 12)
    found = decide(values, against_baseline(1), works=works)
    yield Cell(
        "power", "collapse on 5 of 12 against none", "works more often", 1, 12, *rate(found.collapse), 60.0, False
    )


def tost_and_holm(values: np.ndarray, cost: float) -> np.ndarray:
    """(studies, contrasts) equivalent at a margin of 3; at a cost of 2 by the interval that shows effects."""
    gaps = values[:, 1:] - values[:, :1]
    p = np.maximum(sign_flip_p(gaps + 3.0, "greater"), sign_flip_p(3.0 - gaps, "greater"))
    return holm(np.minimum(1.0, cost * p)) <= 0.05


def joint_flips(n_studies: int) -> Iterator[Cell]:
    """Why seeds are not flipped jointly for all contrasts: more power, not exact where only the baseline is skewed."""
    n, m = 12, 5
    signs = flip_group(n, n - 1, fix_first=True)
    median, mean = made.median_of(made.exponential), made.mean_of(made.exponential)
    rows = {
        "normal": made.of(made.normal, made.normal),
        "all arms exponential": made.of(made.exponential, made.exponential),
        "only the baseline exponential, as often better": made.of(made.exponential, made.quiet, median),
        "only the baseline exponential, equal means": made.of(made.exponential, made.quiet, mean),
    }
    for number, (name, draw) in enumerate(rows.items()):
        values, _ = draw(np.random.default_rng([SEED, 90, number]), n_studies, m, n)
        yield Cell("joint flips", name, "differs", m, n, *rate(largest_statistic(values, signs).any(axis=-1)), None)
        found = decide(values, against_baseline(m))
        yield Cell("joint flips", f"{name}, one by one", "differs", m, n, *rate(found.effect.any(axis=-1)), None)
    values, _ = made.study(np.random.default_rng([SEED, 91]), n_studies, m, n, *[made.normal] * 2)
    values[:, 1] += made.SD * np.sqrt(2)
    found = decide(values, against_baseline(m))
    one_sd = "difference of 1 sd in one contrast"
    yield Cell("joint flips", one_sd, "found", m, n, *rate(largest_statistic(values, signs)[:, 0]), None)
    yield Cell("joint flips", f"{one_sd}, one by one", "found", m, n, *rate(found.effect[:, 0]), None)


def largest_statistic(values: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """(studies, contrasts) rejected by the largest studentised mean over joint flips of whole seeds (single step)."""
    gaps = values[:, 1:] - values[:, :1]
    out = []
    for own in gaps:
        scale = np.sqrt((own**2).sum(axis=-1))
        sums = np.abs(signs @ own.T) / scale
        out.append(sums[0] >= np.quantile(sums.max(axis=1), 0.95, method="higher") - 1e-9)
    return np.array(out)


def intervals(n_studies: int) -> Iterator[Cell]:
    """Coverage of the 95 % interval of one contrast where both work, and of all intervals of a study at once."""
    draws = {"normal": made.normal, "t, 3 df": made.heavy, "uniform": lambda r, s: r.uniform(-1, 1, s)}
    skewed = {"exponential, its mean": (made.exponential, made.SD), "log-normal, its mean": (made.log_normal, None)}
    for n in (6, 10, 20):
        random = np.random.default_rng([SEED, 95, n])
        for name, draw in draws.items():
            yield Cell("interval", name, "covers", 1, n, *rate(_covers(draw(random, (n_studies, n)))), 95.0, False)
        for name, (draw, centre) in skewed.items():
            mean = made.mean_of(draw, lambda r, s: 0.0) if centre is None else centre
            yield Cell(
                "interval", name, "covers", 1, n, *rate(_covers(draw(random, (n_studies, n)) - mean)), None, False
            )
    for m in (5, 10, 15):
        values, _ = made.study(np.random.default_rng([SEED, 96, m]), n_studies, m, 12, made.normal, made.normal)
        rows = (values[:, 1:] - values[:, :1]).reshape(-1, 12)
        yield Cell(
            "interval", "all of a study at once", "cover", m, 12, *rate(_covers(rows).reshape(-1, m).all(axis=-1)), None
        )


def _covers(rows: np.ndarray) -> np.ndarray:
    low, high, _ = deciding_interval_ends(rows, 0.95)
    return (low <= 0) & (high >= 0)


SECTIONS: tuple[Callable[[int], Iterator[Cell]], ...] = (differences, equivalence, power, joint_flips, intervals)


def measured(n_studies: int) -> list[Cell]:
    found: list[Cell] = []
    for section in SECTIONS:
        start = time.perf_counter()
        found += section(n_studies)
        print(f"{section.__name__}: {time.perf_counter() - start:.0f} s", flush=True)
    for other in (pooled_collapse, equal_collapse, chance_gates, choices, published, sequential):
        start = time.perf_counter()
        found += [Cell(*one) for one in other(n_studies, SEED)]
        print(f"{other.__name__}: {time.perf_counter() - start:.0f} s", flush=True)
    return found


def main() -> int:
    n_studies = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    found = measured(n_studies)
    for one in found:
        limit = "" if one.bound is None else f" {'<=' if one.at_most else '>='} {one.bound:g}"
        print(
            f"{'' if one.holds else '!! '}{one.section}; {one.row}; {one.claim}; m {one.contrasts}, n {one.seeds}: "
            f"{one.measured:.2f} ({one.error:.2f}){limit}"
        )
    missed = [one for one in found if not one.holds]
    print(f"{len(found)} cells, {sum(one.bound is not None for one in found)} bounded, {len(missed)} missed")
    if len(sys.argv) < 2:
        rows = [asdict(one) for one in found]
        content = {"command": "python tests/benchmarks/verdict_errors.py", "studies": n_studies, "cells": rows}
        TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        measured_errors.write(ANALYSIS / "statistics.md", ANALYSIS / "gallery")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
