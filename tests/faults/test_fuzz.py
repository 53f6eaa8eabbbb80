"""Seeded fuzzers of what is read from disk: a file of `fuzzers/` each, with `CASES` (a strategy) and `check`.

A slice runs here; thousands, counted, by `fuzz.py`. A further fuzzer is one more file: its
`check(case, results)` gets a fresh copy of an honest results folder and raises AssertionError where something is wrong.
"""

from __future__ import annotations

import importlib.util
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from honest import copy_to
from hypothesis import HealthCheck, given, settings

FOLDER = Path(__file__).parent / "fuzzers"
N_CASES = 15
SECONDS = 60
"""For a case: a hang is one, on however busy a machine."""


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzzer_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def in_time() -> Iterator[None]:
    """Fail a case that hangs."""

    def hangs(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("fuzzer", sorted(path.stem for path in FOLDER.glob("[!_]*.py")))
def test_whatever_is_on_disk_is_read_as_it_was_written_or_ends_in_one_line(
    fuzzer: str, tmp_path: Path, in_time: None
) -> None:
    module = loaded(FOLDER / f"{fuzzer}.py")

    @settings(
        max_examples=N_CASES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(module.CASES)
    def run(case: object) -> None:
        signal.alarm(getattr(module, "HANGS", SECONDS))
        module.check(case, copy_to(tmp_path / "results"))
        signal.alarm(0)

    run()
