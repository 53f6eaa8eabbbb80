"""Somebody with study files, plugin files and results of their own, who asks this program for things."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from orchestrator.cli import main
from orchestrator.ledger import Ledger

HEAD = """
import numpy as np
from orchestrator.designs.around import around
from orchestrator.designs.factorial import factorial
from orchestrator.designs.fixed import fixed
from orchestrator.designs.grid import grid
from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.designs.morris import morris
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.knobs import Choice, Float, Int
from orchestrator.study import Plateau, Study
B = dict(question="q", datasets=("digits:subset=300",), n_epochs=2, seeds=6, margin=.05, exploratory=True)
"""

Said = tuple[int, str, str]


class Stranger:
    """A folder of somebody's: study files, plugin files, results."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.results, self.plugin = folder / "results", folder

    def writes(self, place: str, text: str) -> Path:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def asks(self, study: str, name: str = "asked.py") -> Path:
        return self.writes(name, HEAD + textwrap.dedent(study))

    def says(self, *arguments: object) -> Said:
        """Run a command in this process; return its exit status and what it printed."""
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = self.capsys.readouterr()
        assert "Traceback" not in captured.err + captured.out
        return int(caught.value.code or 0), captured.out, captured.err

    def plans(self, study: Path, *options: object) -> dict[str, Any]:
        status, out, err = self.says("plan", study, "--json", "--results", self.results, *self._plugin(), *options)
        assert status == 0, err
        found: dict[str, Any] = json.loads(out)
        return found

    def runs(self, study: Path, *options: object) -> Said:
        fast = ("--address", "inline", "--no-report", "--results", self.results)
        return self.says("run", study, *fast, *self._plugin(), *options)

    def refused(self, study: Path, *options: object, command: str = "plan") -> str:
        """Return the one line in which a request is refused before anything is written."""
        before = self._files()
        status, out, err = self.says(command, study, "--results", self.results, *self._plugin(), *options)
        assert status == 2, (out, err)
        (line,) = err.strip().splitlines()
        assert self._files() == before
        return line

    def rows(self) -> pd.DataFrame:
        with Ledger(self.results) as ledger:
            return ledger.trials()

    def _plugin(self) -> tuple[object, ...]:
        there = any((self.plugin / kind).is_dir() for kind in ("methods", "metrics", "datasets"))
        return ("--plugin", self.plugin) if there else ()

    def _files(self) -> set[str]:
        return {str(path) for path in self.results.rglob("*")} if self.results.exists() else set()


METHOD = """
    from dataclasses import dataclass
    import torch
    from orchestrator.knobs import Choice, Float, Int, ListOf, knob
    from trainables.method import InTurn, MethodConfig
    from trainables.scoring import score

    @dataclass(frozen=True, kw_only=True)
    class Config(MethodConfig):
        rate: float = knob(0.5, Float(0.0, 1.0, step=0.25))
        widths: tuple = knob((8,), ListOf(Int(1, 64), 1, 3))
        decay: object = knob(None, Float(0.0, 1.0, also=(None,)))
        nap: float = knob(0.0, Float(0.0, 60.0))

    class One:
        def __init__(self, config, seed, data, device):
            self.config, self.data, self.epoch = config, data, 0

        def fit_epoch(self):
            import time
            time.sleep(self.config.nap)
            self.epoch += 1

        def evaluate(self, last):
            labels = torch.arange(len(self.data.eval_labels))[None] % self.data.n_classes
            row = score(labels, self.data, self.data.n_classes, last)[0]
            late = 1.0 if last else float("nan")
            return row | {"metric.loss": 1.0 / min(self.epoch, 3), "metric.late": late, "diagnostic.odd": late}

        def state_dict(self):
            return {"epoch": torch.tensor(self.epoch)}

        def load_state_dict(self, state):
            self.epoch = int(state["epoch"])

    class METHOD(InTurn):
        Config, member = Config, One
"""
