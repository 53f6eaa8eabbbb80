"""What a dataset is once loaded: tensors, a digest of their content, the view of it that a protocol gives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from orchestrator.errors import DataError, RequestError
from orchestrator.trial import Stage
from trainables.data.neighbours import nearest_neighbours

__all__ = ["Dataset", "all_finite"]

N_PROBES, N_NEIGHBOURS = (
    1_000,
    10,
)  # the subsample and the neighbourhood of neighbour mutual information (methods docs)


AT_A_TIME = 1 << 20
"""Numbers that are looked at together."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images or vectors in memory, ready to train on: one tensor, no loader.

    `inputs` is what is fitted; `eval_inputs` with `eval_labels` is what is scored. Under the protocol `whole` they
    are one set, under `split` the train and the test part.
    """

    name: str
    inputs: Tensor
    """(N, d) or (N, C, H, W), float32, centred and scaled by the dataset's file."""
    labels: Tensor
    """(N,) int64, -1 where nobody knows the class. External metrics only."""
    n_classes: int
    """Of the labels; of points without any it is the number of clusters that is asked for."""
    test_inputs: Tensor | None = None
    test_labels: Tensor | None = None
    given_labels: Tensor | None = None
    """(N,) int64, -1 where none: labels that are part of the *input* (semi-supervised, label-noise studies)."""
    unlabelled: Tensor | None = None
    """(U, ...) further inputs whose classes nobody knows: pretraining may use them, nothing is scored on them."""
    arrival: Tensor | None = None
    """(N,) int64 from 0: in which phase of a stream each of `inputs` comes; None: all are there from the start."""
    test_arrival: Tensor | None = None
    """(N',) the same of `test_inputs`."""
    protocol: str = "whole"
    offset: Tensor | None = None
    """(C, H, W) what was subtracted from images: `inputs + offset` are pixels in [0, 1]. No part of the digest."""
    stages: tuple[Stage, ...] = ()
    """What of it was made once, and kept: told in every row. No part of the digest, which is that of the content."""
    clusters: int | None = None
    """How many clusters methods look for, where that is not the number of classes; part of the digest."""

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.labels):
            raise DataError(f"dataset {self.name}: {len(self.inputs)} inputs but {len(self.labels)} labels")
        if self.inputs.numel() == 0:
            raise DataError(f"dataset {self.name} is empty: its inputs have the shape {tuple(self.inputs.shape)}")
        if self.unlabelled is not None and self.unlabelled.shape[1:] != self.inputs.shape[1:]:
            shapes = f"{tuple(self.unlabelled.shape[1:])}, allowed: that of the others, {tuple(self.inputs.shape[1:])}"
            raise DataError(f"dataset {self.name}: unlabelled inputs have the shape {shapes}")
        if not all_finite(self.inputs):
            raise DataError(f"dataset {self.name} holds NaN or infinite inputs")

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def n_clusters(self) -> int:
        """How many clusters methods look for: the number of classes, unless `clusters` says another one."""
        return self.n_classes if self.clusters is None else self.clusters

    @cached_property
    def n_labelled(self) -> int:
        """How many of the scored points have a label."""
        return int((self.eval_labels >= 0).sum())

    @property
    def eval_inputs(self) -> Tensor:
        """Inputs that are scored."""
        return self.inputs if self.test_inputs is None or self.protocol == "whole" else self.test_inputs

    @property
    def eval_labels(self) -> Tensor:
        """Labels of `eval_inputs`."""
        return self.labels if self.test_labels is None or self.protocol == "whole" else self.test_labels

    @property
    def is_image(self) -> bool:
        """Whether inputs have the shape (N, C, H, W)."""
        return self.inputs.dim() == 4

    @property
    def n_phases(self) -> int:
        """Phases of the stream; 1 where all points are there from the start."""
        return 1 if self.arrival is None else int(self.arrival.max()) + 1

    def come_by(self, phase: int) -> Dataset:
        """Return what has come by the end of a phase, as a dataset to score on: the whole of it in the last phase."""
        arrival = self.arrival if self.eval_inputs is self.inputs else self.test_arrival
        if arrival is None or phase >= self.n_phases - 1:
            return self
        kept = arrival <= phase
        part = (self.eval_inputs[kept], self.eval_labels[kept], self.n_classes)
        return Dataset(self.name, *part, clusters=self.clusters)

    @property
    def all_inputs(self) -> Tensor:
        """What may be trained on without labels: `inputs`, then `unlabelled`."""
        return self.inputs if self.unlabelled is None else torch.cat([self.inputs, self.unlabelled])

    @property
    def vectors(self) -> Tensor:
        """Inputs as (N, d)."""
        return self.inputs.flatten(1)

    @property
    def eval_vectors(self) -> Tensor:
        """`eval_inputs` as (N, d)."""
        return self.eval_inputs.flatten(1)

    @cached_property
    def digest(self) -> str:
        """blake2b of the content: every tensor's shape, type and bytes (20 hex digits). The protocol is no content."""
        parts = (self.inputs, self.labels, self.test_inputs, self.test_labels, self.given_labels, self.unlabelled)
        return _digest((*parts, self.arrival, self.test_arrival), self.clusters)

    @cached_property
    def inputs_digest(self) -> str:
        """The same of what methods see, labels left out: what nothing but points may steer follows from it."""
        seen = (self.inputs, self.test_inputs, self.given_labels, self.unlabelled, self.arrival, self.test_arrival)
        return _digest(seen, None if self.clusters == self.n_classes else self.clusters)

    @cached_property
    def probes(self) -> Tensor:
        """Indices into `eval_inputs` of a fixed subsample of at most 1,000 points, the same for every trial."""
        generator = torch.Generator().manual_seed(0)
        return torch.randperm(len(self.eval_inputs), generator=generator)[:N_PROBES]

    @cached_property
    def neighbours(self) -> Tensor:
        """(probes, 10) indices into `eval_inputs`: each probe's nearest neighbours in input space, itself left out."""
        n_neighbours = min(N_NEIGHBOURS, len(self.eval_inputs) - 1)
        return nearest_neighbours(self.eval_vectors, self.probes, n_neighbours)

    def under(self, protocol: str) -> Dataset:
        """Return this dataset as the protocol `whole` (train and test parts merged) or `split` sees it.

        Raises:
            RequestError: it has no test part for `split`, or fewer than two points to score: scores compare neighbours.
        """
        view = self._under(protocol)
        if len(view.eval_labels) < 2:
            n_points = len(view.eval_labels)
            raise RequestError(
                f"dataset {self.name} has {n_points} scored points under {protocol!r}; allowed: at least 2"
            )
        return view

    def _under(self, protocol: str) -> Dataset:
        if protocol == "split":
            if self.test_inputs is None:
                raise RequestError(f"dataset {self.name} has no test part; protocol 'whole' is the one allowed")
            return replace(self, protocol="split")
        if self.test_inputs is None or self.test_labels is None:
            return self
        given, arrival = self.given_labels, self.arrival
        if arrival is not None and self.test_arrival is not None:
            arrival = torch.cat([arrival, self.test_arrival])
        if given is not None:
            given = torch.cat([given, given.new_full((len(self.test_labels),), -1)])
        return replace(
            self,
            inputs=torch.cat([self.inputs, self.test_inputs]),
            labels=torch.cat([self.labels, self.test_labels]),
            test_inputs=None,
            test_labels=None,
            given_labels=given,
            arrival=None
            if self.arrival is None or self.test_arrival is None
            else torch.cat([self.arrival, self.test_arrival]),
            test_arrival=None,
        )


def all_finite(values: Tensor) -> bool:
    """Return whether no number is NaN or infinite; a part at a time, so that no copy of gigabytes is made."""
    rows = max(1, AT_A_TIME // max(1, values[:1].numel()))
    return all(bool(torch.isfinite(part).all()) for part in torch.split(values, rows)) if len(values) else True


def _digest(parts: Sequence[Tensor | None], clusters: int | None) -> str:
    content = hashlib.blake2b(digest_size=10)
    for part in parts:
        if part is not None:
            content.update(f"{tuple(part.shape)}{part.dtype}".encode())
            content.update(part.contiguous().numpy().reshape(-1).view("uint8").data)  # no copy: images can be gigabytes
    if clusters is not None:
        content.update(f"clusters {clusters}".encode())
    return content.hexdigest()


Loader = Callable[[], Dataset]
