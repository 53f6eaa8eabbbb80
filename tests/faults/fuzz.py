"""The long form of the fuzzers, seeded and counted: PYTHONPATH=.:tests/faults python tests/faults/fuzz.py --cases 720.

Every fuzzer of `fuzzers/` has `--cases` in this process, and `--by-command` cases are asked of the command, each in a
process of its own: command lines and study files as they are, folders that a fuzzer forged with one of `USES`. A case
that fails is printed and counted, and the rest goes on; the numbers are added to --out, by seed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from answers import TELL, judge
from honest import STUDY, TRIAL, copy_to
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from kill_rig.drivers import PLUGIN, ROOT
from test_fuzz import FOLDER, loaded

from orchestrator.errors import shown

LINES = loaded(FOLDER / "commands.py")
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
SECONDS = 10
"""Of a core: what takes longer hangs, but for a fuzzer that trains (its `HANGS`)."""

PATIENCE = 120
"""Seconds of the clock after which it hangs too, on however busy a machine."""

RUN = ["run", STUDY, "--plugin", str(PLUGIN), "--address", "inline", "--no-report"]
USES = [
    ["status", "--json"],
    ["trial", TRIAL, "--json"],
    ["doctor", "--json"],
    ["doctor", "--repair", "--json"],
    ["export", STUDY, "OUT/view.csv"],
    ["export", "--ledger", "OUT/ledger"],
    ["plan", STUDY, "--plugin", str(PLUGIN), "--json"],
    ["clean", "--remove"],
    ["retract", TRIAL, "--reason", "x"],
    ["merge", "OTHER"],
    ["report", STUDY, "--no-notebook", "--json"],
    RUN,
]
"""What somebody does with a folder that he was sent."""


class Hang(BaseException):
    """A case took too long; no `except Exception` on the way takes it for its own."""


class Tally:
    """What became of the cases."""

    def __init__(self) -> None:
        self.cases: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self.longest: dict[str, float] = {}

    def judged(self, name: str, case: object, check: Callable[[], float | None]) -> None:
        """Run a case; print what it fails at. A check may return the seconds that it took by a measure of its own."""
        began, kind, took = time.monotonic(), "", None
        said = ""
        try:
            took = check()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            kinds = {Hang: "hang", AssertionError: "wrong answer"}
            kind = kinds.get(type(error), f"traceback ({type(error).__name__})")
            said = traceback.format_exc()[-3000:]
        if kind:
            self.failed[kind] = self.failed.get(kind, 0) + 1
            print(f"--- {name}: {kind}\n{shown(case, 4_000)}\n{said}", flush=True)
        took = time.monotonic() - began if took is None else took
        self.cases[name] = self.cases.get(name, 0) + 1
        self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 3)
        self.longest[name] = round(max(self.longest.get(name, 0.0), took), 3)


def each(cases: Any, number: int, start: int, check: Callable[[Any], None]) -> None:
    """Draw cases by a seed and check each."""

    @seed(start)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def run(case: Any) -> None:
        check(case)

    run()


def hangs(*_: object) -> None:
    """End a case that takes too long."""
    raise Hang


def limited(seconds: float, patience: float) -> None:
    """End what follows after seconds of a core or of the clock; 0 for no end."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, patience)


def in_process(tally: Tally, name: str, number: int, start: int, folder: Path) -> None:
    """Check cases of one fuzzer in this process."""
    module = loaded(FOLDER / f"{name}.py")

    def check(case: Any) -> None:
        def checked() -> None:
            results = copy_to(folder / "results")
            limited(getattr(module, "HANGS", SECONDS), 3 * PATIENCE)
            try:
                module.check(case, results)
            finally:
                limited(0, 0)

        tally.judged(name, case, checked)

    each(module.CASES, number, start, check)


def by_command(tally: Tally, number: int, start: int, folder: Path) -> None:
    """Ask the command, in processes of their own."""
    forging = [module for name in NAMES if hasattr(module := loaded(FOLDER / f"{name}.py"), "forge")]
    forged = st.one_of([st.tuples(st.just(module), module.CASES, st.sampled_from(USES)) for module in forging])

    def check(case: Any) -> None:
        results = copy_to(folder / "results")
        if isinstance(case, tuple) and isinstance(case[0], ModuleType):
            module, what, words = case
            module.forge(what, results)
            places = {"OTHER": str(copy_to(folder / "other"))}
            arguments = [places.get(word, word).replace("OUT", str(folder / "out")) for word in words]
            arguments += ["--results", str(results)]
        else:
            arguments = LINES.arguments_of(case, results)
        tally.judged("by command", (arguments, case), lambda: commanded(arguments, folder))

    each(st.one_of(LINES.CASES, forged), number, start, check)


def commanded(arguments: list[str], folder: Path) -> float:
    """Run a command and judge what it said; return its CPU seconds."""
    before = os.times()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            capture_output=True, text=True, check=False, timeout=PATIENCE, env=environment, cwd=folder,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Hang from None
    after = os.times()
    took = after.children_user + after.children_system - before.children_user - before.children_system
    judge(arguments, done.returncode, done.stdout, done.stderr)
    if took > SECONDS and arguments[0] not in TELL:  # these train, or draw figures
        raise Hang
    return took


def main() -> None:
    """Check, print and add up."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--cases", type=int, default=720, help="of each fuzzer, in this process")
    options.add_argument("--by-command", type=int, default=0)
    options.add_argument("--only", nargs="*", default=NAMES, choices=NAMES)
    options.add_argument("--out", type=Path, help="a JSON file; what it says of other seeds is kept")
    asked = options.parse_args()
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, hangs)
    tally = Tally()
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_CACHE_HOME"] = place
        for name in asked.only if asked.cases else ():
            in_process(tally, name, asked.cases, asked.seed, Path(place))
            print(f"{name}: {tally.cases[name]} cases, failed so far {tally.failed}", flush=True)
        if asked.by_command:
            by_command(tally, asked.by_command, asked.seed, Path(place))
    found = vars(tally)
    print(json.dumps(found, indent=1))
    if asked.out:
        known = json.loads(asked.out.read_text()) if asked.out.exists() else {}
        kept = known.setdefault(str(asked.seed), {"cases": {}, "failed": {}, "seconds": {}, "longest": {}})
        for what, counts in found.items():
            kept[what].update(counts)
        asked.out.write_text(json.dumps(known, indent=1) + "\n")
    sys.exit(bool(tally.failed))


if __name__ == "__main__":
    main()
