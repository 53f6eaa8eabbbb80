"""Whether a method can be built as a plan asks for it: tried on a few points, before anything is trained."""

from __future__ import annotations

from dataclasses import replace

import torch

from orchestrator.errors import OrchestratorError
from orchestrator.knobs import configured
from orchestrator.machine.process_settings import OwnSettings, imposed_by
from orchestrator.trial import TrialSpec
from trainables.data.dataset import Dataset
from trainables.global_streams import untouched
from trainables.method import InTurn, Method
from trainables.precision import computing
from trainables.scoring import measuring
from trainables.training.kept_files import content_of, watching

__all__ = ["few_points", "kept_bytes", "measured", "problem"]

POINTS = 32
"""Of each part; what more points make possible (larger batches, more clusters) is looked at on all of them."""

CPU = torch.device("cpu")


def problem(method: type[Method], spec: TrialSpec, data: Dataset) -> str:
    """Return why a configuration cannot be built; empty: it can, or only memory is short here.

    What fails on few points is tried on all: a method may need more of them than there were.
    """
    for points in (few_points(data), data):
        try:
            _built(method, spec, points)
        except (MemoryError, torch.OutOfMemoryError):
            return ""
        except Exception as error:  # whatever it is, the run would meet it
            found = str(error) if isinstance(error, OrchestratorError) else f"{type(error).__name__}: {error}"
        else:
            return ""
    return " ".join(found.split())


def measured(method: type[Method], spec: TrialSpec, data: Dataset, plugins: tuple[str, ...] = ()) -> list[str] | None:
    """Return the metrics that a method gives at its last evaluation; None: it cannot be told on a few points."""
    short = replace(spec, n_epochs=1)
    try:
        with measuring(plugins), computing(spec.precision):
            built = _built(method, short, few_points(data))
            with OwnSettings(imposed_by(method.__module__)).own():
                built.fit_epoch()
                (row,) = built.evaluate(True)
    except Exception:  # the run will tell
        return None
    return sorted(name.removeprefix("metric.") for name in row if name.startswith("metric."))


def kept_bytes(method: type[Method], spec: TrialSpec, data: Dataset) -> float | None:
    """Return about how many bytes a study keeps of a trial: weights, assignments, embeddings; None: it cannot be told.

    Measured on few points and on twice as many, and drawn out to all: what grows, grows with the points.
    """
    short, sizes, counts = replace(spec, n_epochs=1), [], []
    for few in (few_points(data), few_points(data, 2 * POINTS)):
        try:
            with computing(spec.precision), watching() as seen:
                built = _built(method, short, few)
                with OwnSettings(imposed_by(method.__module__)).own():
                    built.fit_epoch()
                    built.evaluate(True)
                sizes.append(sum(map(len, content_of(built, few, 0, 1, seen).values())))
        except Exception:  # on so few points
            return None
        counts.append(len(few.all_inputs) + len(few.eval_inputs))
    slope = 0.0 if counts[0] == counts[1] else (sizes[1] - sizes[0]) / (counts[1] - counts[0])
    return sizes[1] + slope * (len(data.all_inputs) + len(data.eval_inputs) - counts[1])


def few_points(data: Dataset, points: int = POINTS) -> Dataset:
    """Return the first points of each part of a dataset."""
    few = {}
    for name in ("inputs", "labels", "test_inputs", "test_labels", "given_labels", "unlabelled"):
        part = getattr(data, name)
        if part is not None:
            few[name] = part[:points]
    return replace(data, **few)


def _built(method: type[Method], spec: TrialSpec, data: Dataset) -> Method:
    config = configured(method.Config, spec.config, spec.n_epochs, spec.method)
    with OwnSettings(imposed_by(method.__module__)).own():
        if issubclass(method, InTurn):
            return method([config], [spec.root_seed], data, CPU)
        with untouched(spec.method):
            return method([config], [spec.root_seed], data, CPU)
