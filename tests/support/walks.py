"""Counts how a study walks through the modules, from the command to its verdicts.

A study is handed over whenever a function of another module takes it, or a value made of it (`CARRIERS`), as an
argument; a method of such a value is asked, nothing is handed over. `python tests/support/walks.py` prints the walk.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

PRODUCT = ("orchestrator", "trainables", "analysis", "studies")

CARRIERS = ("Study", "Plan", "Demand", "StudyView")
"""Names of the classes whose values carry a study."""

INNER = ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>", "<lambda>")

STUDY = """
'''A search, and a design around what it chooses.'''
from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.study import Study

STUDY = Study(
    question="does the norm term matter?",
    design=around(
        search("entropy", ("fairness_weight",), n_configurations=4, n_seeds=2, round_size=2),
        one_factor("entropy", {"norm_weight": [0.0]}),
    ),
    datasets=("gaussians",),
    n_epochs=2,
    seeds=7,
    margin=0.05,
)
"""


@dataclass
class Walk:
    """The modules that a study was handed to, in order, and how often each was entered by a hand-over."""

    entries: Counter[str] = field(default_factory=Counter)
    hand_overs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(from module, to module, function) -> how often."""

    @property
    def modules(self) -> list[str]:
        """The modules in the order of their first entry."""
        return list(self.entries)

    def see(self, frame: FrameType, event: str, _: Any) -> None:
        """Take note of a call; the profiler calls this."""
        if event != "call" or frame.f_code.co_name in INNER:
            return
        module = _module(frame)
        if module is None or not _takes_a_study(frame):
            return
        caller = frame.f_back
        while caller is not None and _module(caller) is None:
            caller = caller.f_back
        before = (_module(caller) or "") if caller is not None else ""
        if before != module:
            self.entries[module] += 1
            self.hand_overs[before, module, frame.f_code.co_name] += 1


def _module(frame: FrameType) -> str | None:
    name = str(frame.f_globals.get("__name__", ""))
    return name if name.partition(".")[0] in PRODUCT else None


def _takes_a_study(frame: FrameType) -> bool:
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = {name: _carries(frame.f_locals.get(name)) for name in names}
    return not given.get("self") and any(given.values())


def _carries(value: object) -> bool:
    kind = type(value)
    return kind.__name__ in CARRIERS and kind.__module__.partition(".")[0] in PRODUCT


def walk_of_a_study() -> Walk:
    """Return the walk of a small study with a search, run in this process without Ray, to its verdicts."""
    from analysis.data import study_view
    from analysis.verdicts import verdicts
    from orchestrator.cli import session
    from orchestrator.cli.options import RunOptions
    from orchestrator.executors import executor_of

    walk = Walk()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "walks.py")
        path.write_text(textwrap.dedent(STUDY))
        options = RunOptions(
            study=str(path), results=Path(folder, "results"), address="inline", report=False, as_json=True
        )
        with contextlib.redirect_stdout(io.StringIO()):
            sys.setprofile(walk.see)
            try:
                session.run(options, executor_of(options.executor))
                verdicts.verdicts(study_view.load(options.results, "walks"))
            finally:
                sys.setprofile(None)
    return walk


def main() -> None:
    """Print the walk."""
    walk = walk_of_a_study()
    print(f"{len(walk.modules)} modules, {sum(walk.entries.values())} hand-overs")
    for module in walk.modules:
        print(f"{walk.entries[module]:4} {module}")
    for (before, module, function), count in walk.hand_overs.items():
        print(f"     {before} -> {module}.{function} x {count}")


if __name__ == "__main__":
    main()
