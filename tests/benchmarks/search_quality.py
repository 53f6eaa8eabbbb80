"""What a search loses by asking in rounds: TPE one by one, in rounds of 16, in rounds of 4 with 3 ahead, 16 at a time.

    python tests/benchmarks/search_quality.py [REPEATS]     # also writes analysis/benchmarks/search_quality.json

Equal trials (48), the same seeds. Simple regret of the best configuration found, as a share of the function's range
over random draws (its median minus its optimum), on three known functions and on a recorded real sweep: neighbour MI of
entropy clustering on digits over (fairness_weight, norm_weight, lr), interpolated from trials recorded in the JSON
beside the result. `rounds` is the project's own `SearchRounds`; the others are plain Optuna with the same sampler.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from orchestrator.designs.search import search
from orchestrator.knobs import Float, Knob
from orchestrator.search.rounds import SearchRounds, Told

TARGET = Path(__file__).parents[2] / "analysis" / "benchmarks" / "search_quality.json"
SWEEP = Path(__file__).with_name("recorded_sweep.json")
TRIALS, ROUND = 48, 16
Objective = Callable[[dict[str, float]], float]


def branin(p: dict[str, float]) -> float:
    """Branin, two knobs."""
    x, y = 15 * p["a"] - 5, 15 * p["b"]
    first = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return -(first**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def hartmann3(p: dict[str, float]) -> float:
    """Hartmann, three knobs."""
    a = np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
    at = 1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]])
    x = np.array([p["a"], p["b"], p["c"]])
    return float(np.dot([1.0, 1.2, 3.0, 3.2], np.exp(-(a * (x - at) ** 2).sum(1))))


def ridge(p: dict[str, float]) -> float:
    """A narrow curved valley (Rosenbrock), two knobs."""
    x, y = 4 * p["a"] - 2, 4 * p["b"] - 1
    return -math.log1p((1 - x) ** 2 + 100 * (y - x * x) ** 2)


def recorded() -> Objective:
    """The recorded sweep, as the mean of the three nearest trials weighted by inverse distance."""
    content = json.loads(SWEEP.read_text())
    points, values = np.array(content["points"]), np.array(content["values"])

    def value(p: dict[str, float]) -> float:
        far = ((points - np.array([p["a"], p["b"], p["c"]])) ** 2).sum(1) ** 0.5
        near = np.argsort(far)[:3]
        weights = 1 / (far[near] + 1e-6)
        return float((weights * values[near]).sum() / weights.sum())

    return value


def one_by_one(names: str, objective: Objective, seed: int, under_way: int = 1) -> float:
    """Return the best value of plain Optuna's TPE with so many trials under way, ended in random order."""
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=ROUND)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    rng, opened, asked = random.Random(seed), deque[Any](), 0
    while asked < TRIALS or opened:
        while asked < TRIALS and len(opened) < under_way:
            trial = study.ask()
            opened.append((trial, {name: trial.suggest_float(name, 0.0, 1.0) for name in names}))
            asked += 1
        opened.rotate(rng.randrange(len(opened)))
        trial, values = opened.popleft()
        study.tell(trial, objective(values))
    return float(study.best_value)


def in_rounds(names: str, objective: Objective, seed: int, ahead: int = 0) -> float:
    """Return the best value of the project's own search, `ROUND` under way in `1 + ahead` rounds."""
    space = {name: Knob(0.5, Float(0.0, 1.0)) for name in names}
    size = {"round_size": ROUND // (1 + ahead), "rounds_ahead": ahead}
    rounds = SearchRounds(search("m", tuple(names), n_configurations=TRIALS, **size), space, str(seed))
    under_way: deque[Any] = deque()
    while under_way or not rounds.exhausted:
        while not rounds.exhausted and len(under_way) <= ahead:
            under_way.append(rounds.ask())
        asked = under_way.popleft()
        values = [{name: float(p.values[name]) for name in names} for p in asked]
        rounds.tell(
            [
                Told(number=p.number, state="complete", objectives=(objective(v),))
                for p, v in zip(asked, values, strict=True)
            ]
        )
    return max(told.objectives[0] for told in rounds.told.values() if told.objectives)


def compared(name: str, names: str, objective: Objective, repeats: int) -> dict[str, Any]:
    """Return the median regret of each way, as a share of the range over random draws."""
    rng = np.random.default_rng(0)
    draws = [objective(dict(zip(names, map(float, row), strict=True))) for row in rng.random((20_000, len(names)))]
    best, middle = max(draws), statistics.median(draws)
    ways: dict[str, Callable[[int], float]] = {
        "one_by_one": lambda seed: one_by_one(names, objective, seed),
        "under_way_16": lambda seed: one_by_one(names, objective, seed, ROUND),
        "rounds_16": lambda seed: in_rounds(names, objective, seed),
        "rounds_4_ahead_3": lambda seed: in_rounds(names, objective, seed, ahead=3),
    }
    regrets = {
        way: [max(0.0, best - run(seed)) / (best - middle) for seed in range(repeats)] for way, run in ways.items()
    }
    row: dict[str, Any] = {"function": name}
    for way, values in regrets.items():
        draws_of = rng.choice(values, (2000, repeats)).mean(1)
        row[way] = {
            "mean": round(statistics.mean(values), 4),
            "interval": [round(float(end), 4) for end in np.quantile(draws_of, [0.05, 0.95])],
        }
    row["loss_of_rounds"] = round(row["rounds_16"]["mean"] - row["one_by_one"]["mean"], 4)
    row["loss_of_rounds_ahead"] = round(row["rounds_4_ahead_3"]["mean"] - row["one_by_one"]["mean"], 4)
    return row


def main(repeats: int) -> None:
    """Compare on every function, print and write."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    functions = [("branin", "ab", branin), ("hartmann3", "abc", hartmann3), ("ridge", "ab", ridge)]
    rows = []
    for name, names, objective in [*functions, ("recorded digits sweep", "abc", recorded())]:
        rows.append(compared(name, names, objective, repeats))
        print(rows[-1], flush=True)
    losses = [row["loss_of_rounds"] for row in rows]
    result = {
        "command": "python tests/benchmarks/search_quality.py",
        "trials": TRIALS,
        "round": ROUND,
        "repeats": repeats,
        "unit": "simple regret over (optimum - median of random draws)",
        "largest_loss_of_rounds": max(losses),
        "largest_loss_of_rounds_ahead": max(row["loss_of_rounds_ahead"] for row in rows),
        "within_5_percent": sum(loss <= 0.05 for loss in losses),
        "rows": rows,
    }
    TARGET.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
