"""Trains a Lightning module by a Trainer; what it logs is reported at the end of each epoch."""

from __future__ import annotations

import importlib
import logging
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from orchestrator.errors import DataError
from orchestrator.own.declared import Declared
from orchestrator.own.python_object import taken
from trainables.adapters.alone import Kept, points_of, weights_file
from trainables.adapters.function import FunctionMethod, Report
from trainables.method import Method

__all__ = ["LightningMethod", "method_of"]

PACKAGES = ("lightning", "pytorch_lightning")
"""One framework under two names; the module's own base says which."""

LOGGERS = ("lightning.pytorch", "lightning.fabric", "pytorch_lightning", "lightning_fabric")

BATCH = 1_024
"""Points of a batch of new points."""

QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}


class LightningMethod(FunctionMethod):
    """A trial is one fit of a module."""

    module: Any = None
    """Once it is built."""

    def target(self, report: Report) -> object:
        """Build the module and fit it."""
        module = self.module = self._built()
        framework: Any = importlib.import_module(_package(type(module)))
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

    def kept_files(self) -> dict[str, bytes]:
        """Return the state of the module; nothing if that is more than tensors."""
        state = {} if self.module is None else self.module.state_dict()
        return {"weights": weights_file(state)} if state and all(map(torch.is_tensor, state.values())) else {}

    def assign(self, points: npt.NDArray[np.float32], kept: Kept) -> npt.NDArray[Any]:
        """Return what the module's `predict_step` says of new points, batch by batch.

        Raises:
            RequestError: no weights were kept.
            DataError: they do not fit the module.
        """
        found: list[Any] = []
        state = self._loaded(kept, "its state_dict has to be tensors")
        with self.streams.own():
            module = self._built()
            try:
                module.load_state_dict(state)
            except RuntimeError as error:
                raise DataError(f"the kept weights do not fit {self.declared.name}: {error}") from error
            module.eval()
            with torch.no_grad():
                for at in range(0, len(points), BATCH):
                    batch = torch.from_numpy(points[at : at + BATCH])
                    found.append(_as_array(module.predict_step(batch, at // BATCH)))
        return np.concatenate(found)

    def _built(self) -> Any:
        kind = taken(self.declared.asks, self.declared.code)
        data = {"data": points_of(self.trial.data)} if self.declared.takes_data else {}
        return kind(**self.trial.knobs, **data)


def _labels(module: Any) -> Any:
    return _as_array(module.assignments())


def _as_array(found: Any) -> Any:
    return found.detach().cpu().numpy() if hasattr(found, "detach") else found


def _package(kind: type) -> str:
    names = [base.__module__.partition(".")[0] for base in kind.__mro__]
    return next((name for name in names if name in PACKAGES), PACKAGES[0])


def method_of(declared: Declared) -> type[Method]:
    """Return the class that trains a declared Lightning module."""
    return type("Lightning", (LightningMethod,), {"declared": declared, "version": declared.version})
