"""Studies of every method with values from all over their domains: what the plan accepts, the run can do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from answers import said
from hypothesis import strategies as st

from orchestrator import discovery
from orchestrator.domains import Choice, Float, Int
from orchestrator.knobs import Knob, knobs_of, value_at
from orchestrator.ledger import Ledger

SECONDS = 5
"""For a trial; one that takes longer has not failed at what it was asked for."""

HANGS = 240
"""Seconds for a case: a study of a dozen trials, each up to its limit."""

ENDS = {"diverged", "time_limit", "memory_limit"}
"""What may become of a trial at the ends of its domains."""

HEAD = """from orchestrator.designs.around import around
from orchestrator.designs.fixed import fixed
from orchestrator.designs.grid import grid
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.study import Study
"""
METHODS = {name: knobs_of(discovery.method(name).Config) for name in discovery.names("method")}
DATASETS = [
    "gaussians:subset=60",
    "digits:subset=40",
    "parallel_gaussians",
    "three_sides",
    "digits:subset=60,imbalance=3",
]
SAMPLERS = ["random", "tpe", "qmc", "cmaes", "gp", "nsga2"]
PRUNERS = ["none", "median", "halving", "hyperband"]


def value_of(known: Knob) -> st.SearchStrategy[Any]:
    """Return values of a knob: its ends, and whatever lies between."""
    domain = known.domain
    ends = st.sampled_from([known.default, *domain.ends()])
    if isinstance(domain, Choice):
        return st.sampled_from(domain.options)
    if isinstance(domain, Float | Int):
        return ends | st.floats(0.0, 1.0).map(lambda unit: value_at(domain, unit))
    return ends


@st.composite
def study(draw: st.DrawFn) -> str:
    """Draw the text of a study of one method."""
    method = draw(st.sampled_from(sorted(METHODS)))
    space = METHODS[method]
    names = st.sampled_from(sorted(space))
    base = {name: draw(value_of(space[name])) for name in draw(st.sets(names, max_size=3))}
    factor = draw(names)
    levels = draw(st.lists(value_of(space[factor]), min_size=1, max_size=2))
    design = draw(st.sampled_from(["one_factor", "grid", "search", "around"]))
    searched = (
        f"search({method!r}, {tuple(sorted(draw(st.sets(names, min_size=1, max_size=2))))!r}, base={base!r}, "
        f"n_configurations=2, n_seeds=1, sampler={draw(st.sampled_from(SAMPLERS))!r}, "
        f"pruner={draw(st.sampled_from(PRUNERS))!r}, round_size={draw(st.integers(1, 3))})"
    )
    made = {
        "one_factor": f"one_factor({method!r}, {{{factor!r}: {levels!r}}}, base={base!r})",
        "grid": f"grid({method!r}, {{{factor!r}: {levels!r}}}, base={base!r})",
        "search": searched,
        "around": f"around({searched}, one_factor({method!r}, {{{factor!r}: {levels!r}}}))",
    }[design]
    fields = {
        "question": "q",
        "datasets": (draw(st.sampled_from(DATASETS)),),
        "seeds": 2,
        "n_epochs": draw(st.integers(1, 2)),
        "protocol": draw(st.sampled_from(["whole", "split"])),
        "exploratory": True,
    }
    return f"{HEAD}STUDY = Study(**{fields!r}, design={made})\n"


CASES = study()


def check(case: str, results: Path) -> None:
    """Plan it; what is accepted ends with every trial complete, or at the ends of what can be computed."""
    path = results.with_name("asked.py")
    path.write_text(case)
    place = results.with_name("ran")
    shutil.rmtree(place, ignore_errors=True)
    where = ["--results", str(place)]
    if said(["plan", str(path), *where])[0]:
        return
    limits = ["--trial-seconds", str(SECONDS), "--address", "inline", "--no-report"]
    status, line = said(["run", str(path), *where, *limits])
    assert status in (0, 1) or "found no configuration that neither failed nor collapsed" in line, line
    with Ledger(place) as ledger:
        rows = ledger.trials()
    failed = rows[rows["state"] == "failed"]
    assert set(failed["failure_kind"]) <= ENDS, failed[["failure_kind", "config", "error"]].to_dict("records")
