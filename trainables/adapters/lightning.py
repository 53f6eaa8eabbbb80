"""Trains a Lightning module by a Trainer; what it logs is reported at the end of each epoch."""

from __future__ import annotations

import importlib
import logging
import warnings
from typing import Any

from orchestrator.own.declared import Declared
from orchestrator.own.python_object import taken
from trainables.adapters.alone import points_of
from trainables.adapters.function import FunctionMethod, Report
from trainables.method import Method

__all__ = ["LightningMethod", "method_of"]

PACKAGES = ("lightning", "pytorch_lightning")
"""One framework under two names; the module's own base says which."""

LOGGERS = ("lightning.pytorch", "lightning.fabric", "pytorch_lightning", "lightning_fabric")

QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}


class LightningMethod(FunctionMethod):
    """A trial is one fit of a module."""

    def target(self, report: Report) -> object:
        """Build the module and fit it."""
        kind = taken(self.declared.asks, self.declared.code)
        data = {"data": points_of(self.trial.data)} if self.declared.takes_data else {}
        module = kind(**self.trial.knobs, **data)
        framework: Any = importlib.import_module(_package(kind))
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        is_card = self.trial.device.type == "cuda"

        class Reports(framework.Callback):  # type: ignore[misc]  # imported where it is needed
            def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
                numbers = {name: float(value) for name, value in trainer.callback_metrics.items()}
                labels = {"assignments": _labels(module)} if hasattr(module, "assignments") else {}
                report(epoch=trainer.current_epoch + 1, **labels, **numbers)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few workers and small batches
            trainer = framework.Trainer(
                max_epochs=self.trial.spec.n_epochs,
                accelerator="gpu" if is_card else "cpu",
                devices=max(1, round(self.declared.gpus)) if is_card else 1,
                **{**QUIET, **self.declared.asks["trainer"]},
                callbacks=[Reports()],
            )
            trainer.fit(module)
        return module


def _labels(module: Any) -> Any:
    found = module.assignments()
    return found.detach().cpu().numpy() if hasattr(found, "detach") else found


def _package(kind: type) -> str:
    names = [base.__module__.partition(".")[0] for base in kind.__mro__]
    return next((name for name in names if name in PACKAGES), PACKAGES[0])


def method_of(declared: Declared) -> type[Method]:
    """Return the class that trains a declared Lightning module."""
    return type("Lightning", (LightningMethod,), {"declared": declared, "version": declared.version})
