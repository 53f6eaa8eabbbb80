"""Command lines that nobody meant, and study files with any value in any place: an answer, or one line and status 2."""

from __future__ import annotations

import math
from pathlib import Path

from answers import said
from honest import STUDY, TRIAL
from hypothesis import strategies as st

LITERALS = st.one_of(
    st.sampled_from(
        [
            "None",
            "True",
            "-1",
            "0",
            "1",
            "2",
            "3.5",
            "10**12",
            "float('nan')",
            "float('inf')",
            "''",
            "'x'",
            "[]",
            "()",
            "{}",
            "(1, 2)",
            "{'n_init': [1]}",
            "{'n_init': {'a': {'n_init': 3}}}",
            "{'spherical': [True, False]}",
            "['n_init']",
            "Float(0, 1)",
            "Int(1, 3)",
            "Choice(1, 2)",
            "('digits',)",
            "fixed('kmeans')",
            "search('kmeans', ('n_init',))",
            "np.float64(2)",
            "np.bool_(True)",
            "b'x'",
            "object()",
            "lambda: 3",
            "Study",
            "Tier(datasets=('digits',))",
            "{'quick': Tier(datasets=('digits',))}",
            "Plateau()",
            "Plateau(metric='nmi', patience=0)",
            "until_decided((3, 6))",
            "'confirm'",
        ]
    ),
    st.integers().map(repr),
    st.floats().map(lambda value: f"float({str(value)!r})"),
    st.text(max_size=6).map(ascii),
)
FIELDS = st.sampled_from(
    [
        "question",
        "datasets",
        "rivals",
        "seeds",
        "n_epochs",
        "protocol",
        "precision",
        "metric",
        "alpha",
        "margin",
        "stop",
        "beats_chance_by",
        "exploratory",
        "failure_budget",
        "tiers",
        "name",
        "tier",
        "settings",
        "speed",
        "keep",
        "paper",
        "seeds_by_hand",
        "epoch_seconds",
    ]
)
DESIGNS = st.one_of(
    st.tuples(st.sampled_from(["grid", "factorial", "one_factor"]), LITERALS).map(
        lambda drawn: f"{drawn[0]}('kmeans', {drawn[1]})"
    ),
    st.tuples(st.sampled_from(["fixed", "search", "morris", "sobol"]), LITERALS, LITERALS).map(
        lambda drawn: f"{drawn[0]}({drawn[1]}, {drawn[2]})"
    ),
    st.tuples(LITERALS, LITERALS).map(lambda drawn: f"around({drawn[0]}, one_factor('kmeans', {drawn[1]}))"),
    st.just("one_factor('kmeans', {'n_init': [1]})"),
    LITERALS,
)


def study_file(drawn: tuple[str, dict[str, str]]) -> str:
    """Return the text of a study file with a design and some fields."""
    design, fields = drawn
    given = ", ".join(f"{name}={value}" for name, value in fields.items())
    return f"{HEAD}STUDY = Study(**{{**B, 'design': {design}, **dict({given})}})\n"


STUDIES = st.tuples(DESIGNS, st.dictionaries(FIELDS, LITERALS, max_size=2)).map(study_file)
HEAD = """import numpy as np
from orchestrator.designs.around import around
from orchestrator.designs.factorial import factorial
from orchestrator.designs.fixed import fixed
from orchestrator.designs.grid import grid
from orchestrator.designs.morris import morris
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.designs.sobol import sobol
from orchestrator.knobs import Choice, Float, Int
from orchestrator.study import Plateau, Study, Tier, until_decided
B = dict(question="q", datasets=("gaussians",), n_epochs=2, seeds=6, exploratory=True)
"""
WORDS = st.one_of(
    st.sampled_from(
        ["", "-1", "0", "1", "7", "nan", "inf", "1e400", "10" * 20, "x", "--", "all", "quickstart", STUDY, TRIAL]
    )
    | st.sampled_from(
        [
            "local",
            "paper",
            "quick",
            "nmi",
            "neighbour_mi",
            "chosen",
            "cpu",
            "gpu",
            "toy.csv",
            "a.parquet",
            "../..",
            "[1,2]",
            "=",
            "a=b=c",
            "²",
            "١",
        ]
    ),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8),
)
SETTINGS = st.one_of(
    WORDS,
    st.tuples(
        st.sampled_from(
            [
                "seeds",
                "seed",
                "epochs",
                "dataset",
                "protocol",
                "precision",
                "warm_start",
                "clusters",
                "metric",
                "margin",
                "beats_chance_by",
                "keep",
                "n_init",
                "kmeans.n_init",
                ".",
                "x.y",
            ]
        ),
        WORDS,
    ).map("=".join),
)
NUMBERS = {
    "--workers": (0, 100_000, int),
    "--sample": (1, 1_000_000, int),
    "--seed": (0, 2**32 - 1, int),
    "--most-mb": (0.1, math.inf, float),
    "--max-concurrent": (0, 100_000, int),
    "--bundles-per-gpu": (1, 8, int),
    "--time-budget": (0, math.inf, float),
    "--stall": (0, math.inf, float),
    "--trial-seconds": (0, math.inf, float),
    "--trial-memory": (0, math.inf, float),
    "--wait": (0, math.inf, float),
}
"""Option -> its least and largest value, and its kind."""

LIMITS = sorted(set(NUMBERS) - {"--workers", "--sample", "--seed", "--most-mb"})

COMMANDS = {
    "studies": ["--knob"],
    "plan": ["--tier", "--set", "--workers"],
    "status": [],
    "trial": [],
    "verify": ["--trial", "--sample", "--seed", "--tier"],
    "export": ["--tier", "--most-mb"],
    "clean": [],
    "doctor": ["--address"],
    "run": [*LIMITS, "--budget-hours", "--device", "--retry-failed", "--tracker", "--set", "--tier"],
    "predict": ["--out"],
    "retract": ["--reason"],
    "merge": [],
    "new": [],
    "completion": [],
    "jog": [],
}
FLAGS = ["--json", "--all", "--follow-not", "--help"]
LINES = st.sampled_from(sorted(COMMANDS)).flatmap(
    lambda command: st.tuples(
        st.just(command),
        st.lists(WORDS, max_size=2),
        st.lists(st.tuples(st.sampled_from(COMMANDS[command] or ["--json"]), st.one_of(SETTINGS, WORDS)), max_size=2),
        st.lists(st.sampled_from(FLAGS), max_size=1),
    )
)
CASES = st.one_of(LINES, STUDIES)
"""A command line, or the text of a study file that is planned."""

SLOW = {("doctor", "--address"), ("verify", "")}
"""What looks for machines, or trains."""


def check(case: object, results: Path) -> None:
    """Run the command in this process."""
    status, _ = said(arguments_of(case, results))
    if isinstance(case, str):
        return
    _, _, options, flags = case  # type: ignore[misc]
    for name, value in options:
        if name in NUMBERS and not _fits(value, *NUMBERS[name]) and "--help" not in flags:
            assert status == 2, (name, value)


def arguments_of(case: object, results: Path) -> list[str]:
    """Return the arguments of a command on a results folder; the text of a study is written beside it."""
    if isinstance(case, str):
        path = results.with_name("asked.py")
        path.write_text(case)
        return ["plan", str(path), "--results", str(results), "--json"]
    command, words, options, flags = case  # type: ignore[misc]
    if command in ("verify", "run"):  # what is whole there would be trained
        words, options = ["nosuch"], [one for one in options if one[0] != "--trial"]
    if command == "new":
        flags = [f"--folder={results}"]
    given = [option for name, value in options if (command, name) not in SLOW for option in (f"{name}={value}",)]
    where = [] if command in ("studies", "jog", "new", "completion") else ["--results", str(results)]
    return [command, *words, *given, *flags, *where]


def _fits(text: str, low: float, high: float, kind: type) -> bool:
    try:
        value = kind(text)
    except ValueError:
        return False
    return low <= value <= high and (kind is int or math.isfinite(value))
