"""Studies made of numbers: records and rows as the ledger would give them, without a ledger."""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.study_view import StudyView

RECORD = {
    "question": "?",
    "metric": "nmi",
    "alpha": 0.05,
    "margin": 0.02,
    "tier": "local",
    "protocol": "whole",
    "contrasts": [],
    "searches": [],
}


def view_of_arms(name, arms, values, seconds=None, datasets=("digits",)):
    """A study of arms (name -> (method, role)) with values (arm, dataset) -> one NMI a seed."""
    lines, listed = [], []
    several = len(datasets) > 1
    for (arm, dataset), own in values.items():
        method, role = arms[arm]
        full = f"{arm} @ {dataset}" if several else arm
        listed.append({"name": full, "method": method, "dataset": dataset, "role": role, "factor": "", "level": ""})
        lines += [
            {
                "trial_id": f"{full}-{seed}",
                "arm": full,
                "dataset": dataset,
                "method": method,
                "role": role,
                "phase": "confirm",
                "seed": seed,
                "state": "complete",
                "collapsed": False,
                "metric.nmi": value,
                "cost.seconds": (seconds or {}).get(arm, 1.0) * (1 + 0.01 * seed),
            }
            for seed, value in enumerate(own)
        ]
    n_seeds = max(len(own) for own in values.values())
    seeds = {"block": "confirm", "seeds": list(range(n_seeds))}
    record = {**RECORD, "name": name, "arms": listed, "datasets": list(datasets), "seeds": seeds}
    return StudyView(name, Path("nowhere"), record, pd.DataFrame(lines))


def view_of_search(name, method, knobs, metrics, *, dataset="digits", collapsed=(), chosen=0):
    """A study that is one search: knobs name -> (configurations,), metrics name -> (configurations, seeds)."""
    n_configurations, n_seeds = np.shape(next(iter(metrics.values())))
    history, lines = [], []
    for number in range(n_configurations):
        trials = [f"{method}-{dataset}-{number}-{seed}" for seed in range(n_seeds)]
        history.append(
            {
                "number": number,
                "values": {knob: float(values[number]) for knob, values in knobs.items()},
                "objective": [float(np.mean(metrics["neighbour_mi"][number]))],
                "state": "complete",
                "trial_ids": trials,
            }
        )
        lines += [
            {
                "trial_id": trial,
                "arm": f"{method} #{number}",
                "method": method,
                "phase": "search",
                "seed": seed,
                "state": "complete",
                "collapsed": number in collapsed,
                **{f"metric.{metric}": float(table[number][seed]) for metric, table in metrics.items()},
            }
            for seed, trial in enumerate(trials)
        ]
    space = {
        knob: {"kind": "float", "low": float(v.min()), "high": float(v.max()), "log": False}
        for knob, v in knobs.items()
    }
    search = {
        "method": method,
        "dataset": dataset,
        "rules": ["neighbour_mi"],
        "space": space,
        "history": history,
        "chosen_number": chosen,
        "n_seeds": n_seeds,
        "sampler": "tpe",
    }
    record = {**RECORD, "name": name, "searches": [search], "arms": [], "datasets": [dataset]}
    return StudyView(name, Path("nowhere"), record, pd.DataFrame(lines))
