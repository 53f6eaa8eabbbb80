"""Declarations of own methods with arguments that nobody meant: refused in a line that names them, or planned."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from odd_values import ODD, TEXTS, between, is_number, or_none, or_refused, whole

from orchestrator.designs.fixed import fixed
from orchestrator.domains import Choice, Float
from orchestrator.errors import RequestError
from orchestrator.knobs import knob
from orchestrator.own import command, estimator, trainable
from orchestrator.own.declared import declaration_of, loading
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.study import Study

SCRIPT = """import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--balance", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--seed", type=int)
parser.add_argument("--epochs", type=int, default=2)
"""
KNOBS = {"lr": Float(0.0, 1.0), "balance": knob(True, Choice(True, False))}
LINE = "python train.py --epochs {n_epochs}"
CATALOGUE = Catalogue(without_data=True)


def train(config: Any, seed: int, report: Callable[..., None]) -> None:
    """Do nothing: plans do not run it."""
    report(loss=float(seed))


def gpus(value: Any) -> bool:
    return between(0, 64, ends=True)(value) and (float(value) <= 1 or float(value).is_integer())


COMMON: dict[str, Any] = {
    "n_epochs": whole(1, 1_000_000),
    "version": whole(1, 10**9),
    "gpus": gpus,
    "cores": lambda value: is_number(value) and 0 < float(value) <= 1_024,
    "tolerance": lambda value: is_number(value) and float(value) >= 0,
    "metrics": None,
    "name": None,
    "knobs": None,
}
"""Option of every declaration -> whether it may hold a value; None: what is made of it is looked at."""
COMMAND = {
    **COMMON,
    "line": None,
    "form": None,
    "seed": None,
    "files": None,
    "code": None,
    "first_epoch": or_none(whole(0, 1)),
    "metrics_file": None,
    "folder": None,
    "predict": None,
}
KINDS = {"command": COMMAND, "trainable": {**COMMON, "predict": None}, "estimator": {**COMMON, "what": None}}

PATHS = st.sampled_from(
    [
        "train.py",
        "points.csv",
        ".",
        "..",
        "*",
        "*.py",
        "**",
        "**x",
        "/",
        "/etc/*",
        "~",
        "~nobody_of_this_name/x",
        "absent",
        "a" * 300,
        "x/" * 2_000,
        "a b",
        "train.py/x",
        "[",
        "{out}/m.json",
        "{data}/m",
        "{lr}",
        "{nosuch}",
    ]
)
WORDS = st.one_of(
    st.sampled_from(
        [
            "python",
            "sh",
            "-m",
            "train",
            "train.py",
            "points.csv",
            "--lr",
            "{lr}",
            "{seed}",
            "{data}",
            "{nosuch}",
            "{config}",
            "{{",
            "{",
            "}}",
            "'",
            '"',
            "\\",
            "X=1",
            "=",
            "--x={n_epochs}",
            "{points}",
            "#",
            "a" * 300,
        ]
    ),
    PATHS,
    st.text(max_size=4),
)
LINES = st.lists(WORDS, max_size=5).map(" ".join)
FACTS = st.dictionaries(
    st.sampled_from(["nmi", "loss", "purity", "neighbour_mi", ""]),
    st.dictionaries(
        st.sampled_from(["reads_labels", "percent", "chance", "larger_is_better", "written", "cost", "x"]),
        st.sampled_from([True, False, None, 0.1, 2.0, "x"]),
        max_size=2,
    ),
    max_size=2,
)
OF_KIND: dict[str, st.SearchStrategy[Any]] = {
    "line": LINES | LINES | TEXTS,
    "predict": LINES.map(lambda line: f"python train.py {line} {{weights}} {{data}} {{out}}") | LINES,
    "files": st.dictionaries(st.sampled_from(["points", "data", "lr", "x y"]), PATHS, max_size=2),
    "code": st.lists(PATHS, max_size=2) | PATHS,
    "folder": PATHS,
    "metrics_file": PATHS,
    "form": st.sampled_from(["arguments", "overrides", "environment", "file"]),
    "seed": st.sampled_from(["--seed", "seed", "", "--rng", "-s", "--lr"]),
    "metrics": FACTS,
    "what": st.sampled_from(["sklearn:KMeans", "sklearn:Nosuch", "KMeans", "sklearn:", ":", "sklearn:kmeans"]),
    "name": st.sampled_from(["kmeans", "mine", "a/b", "..", "a" * 100, "a" * 101, "-x"]),
    "knobs": st.dictionaries(
        st.sampled_from(["lr", "balance", "seed", "n-epochs", "n_clusters", "x", "a b", "out"]),
        st.sampled_from([Float(0.0, 1.0), Float(5.0, 6.0), knob(0.5, Float(0.0, 1.0)), knob("a", Choice("a", None))]),
        max_size=2,
    ),
}
"""Option -> values that somebody may mean by it."""


def given(option: str) -> st.SearchStrategy[tuple[str, Any]]:
    """Return what may be said for an option: what is for it, and anything else."""
    odd = ODD.map(lambda value: (option, value))
    return st.one_of(OF_KIND[option].map(lambda value: (option, value)), odd) if option in OF_KIND else odd


CASES = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.lists(st.sampled_from(sorted(KINDS[kind])).flatmap(given), min_size=1, max_size=2).map(dict)
    )
)
"""(what declares it, the options that are said otherwise)."""


def check(case: tuple[str, dict[str, Any]], results: Path) -> None:
    """Declare it in a folder with a script; what is taken is planned, or refused in a line as well."""
    kind, options = case
    folder = results.with_name("declared")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    (folder / "points.csv").write_text("1,2\n")
    oracles = [(name, oracle(value)) for name, value in options.items() if (oracle := KINDS[kind][name]) is not None]
    wrong = [name for name, fits in oracles if not fits]
    expected = False if wrong else True if len(oracles) == len(options) else None
    with loading(folder / "study.py"):
        method = or_refused(lambda: declared(kind, options), names=wrong[0] if len(options) == 1 and wrong else "",
                            expected=expected)  # fmt: skip
        if method is not None:
            is_planned(method, kind)


def declared(kind: str, options: dict[str, Any]) -> Any:
    """Return the method that is declared."""
    if kind == "command":
        said = {"knobs": KNOBS, **options}
        return command(said.pop("line", LINE), **said)
    if kind == "estimator":
        return estimator(options.get("what", "sklearn:KMeans"), **{k: v for k, v in options.items() if k != "what"})
    return trainable(**options)(train)  # type: ignore[call-overload]  # anything may be said


def is_planned(method: Any, kind: str) -> None:
    """Assert that a declared method has an identity, travels, and is planned or refused in one line."""
    own = declaration_of(method)
    assert own is not None
    assert len(own.code_digest()) == len(own.identity) == 20
    assert declaration_of(pickle.loads(pickle.dumps(own.named))) == own
    datasets = {"datasets": ("digits",)} if own.takes_data or kind == "estimator" else {}
    try:
        study = Study(question="q", design=fixed(method), seeds=2, exploratory=True, name="asked", **datasets)
        plan = plan_of(study, CATALOGUE)
    except RequestError as error:
        assert "\n" not in str(error)
        assert str(error).isprintable()
        return
    assert len(plan.arms) == 1
