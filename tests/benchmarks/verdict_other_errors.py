"""The other promises, for `verdict_errors.py`: collapse of pooled arms, gates, choices, published numbers, looks.

Each function yields the fields of a cell: section, row, claim, contrasts, seeds, measured, error, bound, at_most.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import verdict_generators as made
from scipy import stats

from analysis.data.study_view import StudyView
from analysis.published import numbers
from analysis.verdicts.beats_chance import footings
from analysis.verdicts.reproduction import compare
from orchestrator.inference.decisions import decide
from orchestrator.inference.optimism import best_minus_chosen, crossed_gain
from orchestrator.inference.sequential import Looks

Fields = tuple[Any, ...]


def rate(flags: np.ndarray) -> tuple[float, float]:
    own = np.asarray(flags, dtype=float)
    return 100.0 * float(own.mean()), 100.0 * float(own.std() / np.sqrt(len(own)))


def pooled_collapse(n_studies: int, seed: int) -> Iterator[Fields]:
    """Two levels of a knob over a grid of four cells each, whose trials collapse by seed: nobody works more often."""
    cells = [np.array([[-0.25 * (a == c) for a in range(4)] + [0.25 * (a == c) for a in range(4)] for c in range(4)])]
    for shared, name in ((0.0, "trials independent"), (0.56, "correlation .56"), (0.95, "correlation .95")):
        random = np.random.default_rng([seed, 100, int(100 * shared)])
        n, shape = 10, (n_studies, 8, 10)
        # a level's four cells share their seed's fate, apart from the other level's
        fate = np.repeat(made.of_seed(random, (n_studies, 2, n), (0.3, 0.3), shared), 4, axis=1) if shared else 0.3
        works = 1.0 - (random.random(shape) < fate)
        values = np.where(works == 1, random.normal(60, 3, shape), 10.0)
        found = decide(values, cells, works=works)
        yield "collapse", f"grid of 2 x 4 arms, {name}", "works more often", 1, n, *rate(found.collapse[:, 0]), 5.0
        gone = (1 - works).reshape(n_studies, 2, -1).sum(axis=-1).astype(int)
        known: dict[tuple[int, ...], float] = {}
        for a, b in {tuple(pair) for pair in gone.tolist()}:
            known[a, b] = float(stats.fisher_exact([[a, 4 * n - a], [b, 4 * n - b]]).pvalue)
        trials = np.array([known[a, b] for a, b in gone.tolist()]) <= 0.05
        row = f"the same, {name}, trials taken as independent (Fisher)"
        yield "collapse", row, "works more often", 1, n, *rate(trials), None


def equal_collapse(n_studies: int, seed: int) -> Iterator[Fields]:
    """Two arms that collapse equally often, where the test of that can speak: both parts share alpha."""
    for collapse in (0.1, 0.3, 0.5):
        for n in (12, 20):
            random = np.random.default_rng([seed, 105, n, int(10 * collapse)])
            values, works = made.collapsing((collapse, collapse))(random, n_studies, 1, n)
            found = decide(values, [[-1.0, 1.0]], works=works)
            row = f"two arms, both collapse on {collapse:.0%}"
            yield "collapse", row, "works more often", 1, n, *rate(found.collapse[:, 0]), 5.0
            yield "collapse", row, "any difference", 1, n, *rate((found.collapse | found.effect)[:, 0]), 6.0


def chance_gates(n_studies: int, seed: int) -> Iterator[Fields]:
    """A baseline at the bar where it works, which collapses on 10 % of the seeds: it is not shown to beat it."""
    arms = {"normal": made.normal, "exponential above": lambda r, s: made.exponential(r, s) - made.SD * made.LN2}
    for number, (name, draw) in enumerate(arms.items()):
        for n in (6, 12):
            random = np.random.default_rng([seed, 110, number, n])
            passed, failed = [], []
            for _ in range(n_studies):
                gone = random.random(n) < 0.1
                (gate,) = footings(_baseline(np.where(gone, 0.1, 0.4 + draw(random, (n,)) / 100), gone))
                passed.append(gate.works)
                failed.append(gate.fails)
            yield "gate", f"at the bar where it works, {name}", "beats chance", 1, n, *rate(np.array(passed)), 5.0
            yield "gate", f"at the bar where it works, {name}", "does not work", 1, n, *rate(np.array(failed)), 5.0


def _baseline(values: np.ndarray, gone: np.ndarray) -> StudyView:
    rows = pd.DataFrame(
        {"arm": "baseline", "seed": np.arange(len(values)), "phase": "confirm", "state": "complete", "collapsed": gone,
         "metric.nmi": values}
    )  # fmt: skip
    record = {
        "metric": "nmi", "alpha": 0.05, "beats_chance_by": 0.3, "chance": {"d": {"nmi": 0.1}}, "contrasts": [{}],
        "arms": [{"name": "baseline", "role": "baseline", "method": "m", "dataset": "d"}],
        "seeds": {"seeds": list(range(len(values)))},
    }  # fmt: skip
    return StudyView("made-up", Path("."), record, rows)


def choices(n_studies: int, seed: int) -> Iterator[Fields]:
    """24 configurations, a rule whose score goes with the metric as much as said: is the oracle's lead unbiased?"""
    for n_seeds in (4, 6):
        for correlation in (0.0, 0.5, 0.9):
            random = np.random.default_rng([seed, 120, n_seeds, int(10 * correlation)])
            error = []
            for _ in range(n_studies):
                quality = random.normal(0, 2.0, (24, 1))
                external = quality + random.normal(0, 3.0, (24, n_seeds))
                noise = random.normal(0, np.sqrt(2.0**2 + 3.0**2), external.shape)
                scores = correlation * external + np.sqrt(1 - correlation**2) * noise
                truth = _truth(quality[:, 0], external, scores)
                error.append(crossed_gain(external, scores).gain - truth)
            bias, se = float(np.mean(error)), float(np.std(error) / np.sqrt(n_studies))
            row = f"24 configurations, correlation {correlation:g}"
            yield "choosing", row, "bias in standard errors, printed - true", 1, n_seeds, abs(bias) / se, 0.0, 2.0
            yield "choosing", row, "bias in points", 1, n_seeds, bias, se, None
    random = np.random.default_rng([seed, 121])
    flat = random.normal(60, 1.0, (n_studies, 20, 12))
    last = np.broadcast_to(np.arange(20.0)[:, None], (20, 12))
    best = np.array([best_minus_chosen(one.T, [19] * 12).mean() for one in flat])
    beyond = np.array([crossed_gain(one, last).gain for one in flat])
    se = [float(one.std() / np.sqrt(n_studies)) for one in (best, beyond)]
    row, off = "epochs of a flat curve with 1 point of noise", abs(float(beyond.mean())) / se[1]
    yield "choosing", row, "best - last, points", 1, 12, float(best.mean()), se[0], None
    yield "choosing", row, "beyond noise, in standard errors", 1, 12, off, 0.0, 2.0


def _truth(quality: np.ndarray, external: np.ndarray, scores: np.ndarray) -> float:
    """The oracle's lead in true quality over the same halves."""
    n_seeds, leads = external.shape[1], []
    for half in itertools.combinations(range(n_seeds), n_seeds // 2):
        oracle, rule = (int(np.argmax(table[:, half].mean(axis=1))) for table in (external, scores))
        leads.append(quality[oracle] - quality[rule])
    return float(np.mean(leads))


def published(n_studies: int, seed: int) -> Iterator[Fields]:
    """Both sides are equal in truth, under equal conditions: 12 own seeds beside 3 or 6 published runs."""
    for runs in (3, 6):
        random = np.random.default_rng([seed, 130, runs])
        words, covers = [], []
        for _ in range(n_studies):
            theirs, own = random.normal(0.6, 0.03, runs), random.normal(0.6, 0.03, 12)
            number = replace(numbers()[0], value=float(theirs.mean()), std=float(theirs.std(ddof=1)), n=runs)
            judged = compare(own, number, margin=0.045)  # 1.5 published standard deviations
            words.append(judged.word)
            covers.append(judged.low <= 0 <= judged.high)
        said = np.array(words)
        row = f"equal in truth, {runs} published runs, margin 1.5 sd"
        yield "published", row, "reproduced or inconclusive", 1, 12, *rate(said != "not reproduced"), 95.0, False
        yield "published", row, "reproduced", 1, 12, *rate(said == "reproduced"), 50.0 if runs == 6 else None, False
        yield "published", row, "interval covers", 1, 12, *rate(np.array(covers)), 93.0, False


def sequential(n_studies: int, seed: int) -> Iterator[Fields]:
    """Looks at growing data in which nothing differs, and the two ways in which a later look may mislead."""
    weights = np.column_stack([-np.ones(3), np.eye(3)])
    plans = {
        "until decided, looks at 10, 20, 40": Looks((10, 20, 40)),
        "planned 20, then 36 and 48 written into the file": Looks((20,), taken=(20, 36, 48)),
    }
    draws = {"normal": made.of(made.normal, made.normal), "all collapse on 20 %": made.collapsing((0.2, 0.2))}
    for number, (plan, looks) in enumerate(plans.items()):
        n = max(looks.taken or looks.planned)
        for name, draw in draws.items():
            random = np.random.default_rng([seed, 140, number, len(name)])
            wrong, one_look = [], []
            for _ in range(0, n_studies, 500):
                values, works = draw(random, 500, 3, n)
                found = decide(values, weights, works=works, looks=looks)
                wrong.append((found.effect | found.collapse).any(axis=-1))
                naive = [decide(values[..., :k], weights, works=works[..., :k]) for k in looks.taken or looks.planned]
                one_look.append(np.any([(one.effect | one.collapse).any(axis=-1) for one in naive], axis=0))
            yield "looks", f"{plan}; {name}", "any difference", 3, n, *rate(np.concatenate(wrong)), 5.0
            row = f"{plan}; {name}, looks not paid for"
            yield "looks", row, "any difference", 3, n, *rate(np.concatenate(one_look)), None
    random, looks = np.random.default_rng([seed, 141]), Looks((20,), taken=(20, 32))
    values, works = made.of(lambda r, s: np.zeros(s), made.quiet, 1.0)(random, n_studies, 1, 32)
    values[:, 1] -= 60.0 * (random.random((n_studies, 32)) < 1 / 32)
    found = decide(values, [[-1.0, 1.0]], works=works, looks=looks)
    gaps = found.differences[:, 0]
    way = np.where(found.by_signs[:, 0], np.sign(gaps).sum(axis=-1), found.estimate[:, 0])
    row = "a small gain on 31 of 32 seeds, a rare large loss"
    yield "looks", row, "worse", 1, 32, *rate(found.effect[:, 0] & (way < 0)), 5.0
    yield "looks", row, "better", 1, 32, *rate(found.effect[:, 0] & (way > 0)), None
