"""The contract of a method, and two base classes: members in turn (nothing to do), and fused members (one registry)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

import torch
from torch import Tensor

from orchestrator.knobs import configured, knobs_of
from orchestrator.trial import BundleTask, Stage, TrialSpec
from trainables.data.dataset import Dataset
from trainables.global_streams import GlobalStreams
from trainables.randomness import stream_seed

__all__ = [
    "FusedMethod",
    "InTurn",
    "Member",
    "Method",
    "MethodConfig",
    "Row",
    "State",
    "Stateful",
    "chosen",
    "fused_knobs",
]

T = TypeVar("T")

Row: TypeAlias = dict[str, float]
"""One member's evaluation: ledger column (`metric.nmi`, `diagnostic.em_iterations`) -> number."""

State: TypeAlias = dict[str, Any]
"""Nested dictionaries whose leaves are tensors; `trainables.training.checkpoints` writes them without pickle."""


@dataclass(frozen=True, kw_only=True)
class MethodConfig:
    """Base of every method's Config. Its one field is the budget, which is no knob."""

    n_epochs: int = 10
    """Epochs to train: the horizon of schedules. The training loop may evaluate and stop earlier, never later."""


def fused_knobs(config: type[MethodConfig]) -> tuple[str, ...]:
    """Return the knobs in which members of one bundle may differ, as the config names them."""
    return tuple(name for name, known in knobs_of(config).items() if known.fuses)


def chosen(items: Sequence[T], places: Sequence[int]) -> list[T]:
    """Return what stands at some places: what members that are kept have of a list."""
    return [items[place] for place in places]


class Method(ABC):
    """Trains a bundle of members. Built, called and dropped by `trainables.training.loop`; nobody else may mutate it.

    A method's file holds `Config` (a frozen dataclass on `MethodConfig`) and `METHOD`, its Method class.
    Labels: only `evaluate` may read `data.eval_labels`, through `trainables.scoring`; `data.given_labels` are input.
    """

    Config: ClassVar[type[MethodConfig]]
    version: ClassVar[int] = 1
    """Part of the trial_id; raised when a change moves numbers."""
    precisions: ClassVar[tuple[str, ...]] = ("float32",)
    """What its trials may be computed in: `PRECISIONS` where every forward pass goes through a `Network` or `lowered`.
    A study at another precision plans a method at float32 that does not list it."""
    finds_n_clusters: ClassVar[bool] = False
    """Whether it finds the number of clusters by itself, where others look for as many as `Dataset.n_clusters` says."""

    @abstractmethod
    def __init__(self, configs: Sequence[Any], seeds: Sequence[int], data: Dataset, device: torch.device) -> None: ...

    @classmethod
    def configured(cls, spec: TrialSpec) -> Any:
        """Return the config of a trial."""
        return configured(cls.Config, spec.config, spec.n_epochs, spec.method)

    @classmethod
    def built_for(
        cls, configs: Sequence[Any], seeds: Sequence[int], data: Dataset, device: torch.device, task: BundleTask
    ) -> Method:
        """Return the method built for members of a task; most need not know where they are trained."""
        return cls(configs, seeds, data, device)

    def stages(self) -> Sequence[Sequence[Stage]]:
        """Return, per member, what it builds on that was made once (`artifacts.made_once`), beside the dataset's.

        Asked once, after the method is built. A stage whose making a seed had a part in says so (`drawn`).
        """
        return ()

    @abstractmethod
    def fit_epoch(self) -> None:
        """Train every living member for one epoch."""

    @abstractmethod
    def evaluate(self, last: bool) -> list[Row]:
        """Return one row per living member; `last` adds the metrics that are dear. Consumes no random stream."""

    @abstractmethod
    def keep(self, members: Sequence[int]) -> None:
        """Drop all members but these positions (ascending), and compact; the survivors' numbers do not change."""

    @abstractmethod
    def state_dict(self) -> State:
        """Return all state: weights, optimisers, duals, queues, random streams, epoch."""

    @abstractmethod
    def load_state_dict(self, state: State) -> None:
        """Take up a state of a method built with the same configs, seeds and data."""

    def close(self) -> None:  # noqa: B027  most start nothing
        """End what it started outside of this process; called once, when the method is built no more."""

    def peak_memory_bytes(self) -> int | None:
        """Return the peak of what it started outside of this process; None: this process's own is meant."""
        return None

    @classmethod
    def max_members(cls, config: Any, data: Dataset) -> int:
        """Return how many members of this shape may share a bundle at most (1: fusing does not pay)."""
        return 1


class Member(Protocol):
    """A method written for one member only; `InTurn` makes a Method of it.

    Its seed is below 2**32, as NumPy and scikit-learn want: `GaussianMixture(k, random_state=seed)`.
    """

    def __init__(self, config: Any, seed: int, data: Dataset, device: torch.device) -> None: ...

    def fit_epoch(self) -> None:
        """Train for one epoch."""

    def evaluate(self, last: bool) -> Row:
        """Return the row of this member."""

    def state_dict(self) -> State:
        """Return all state."""

    def load_state_dict(self, state: State) -> None:
        """Take up a state."""


class InTurn(Method):
    """Members one after another behind the bundle's contract: no speed-up, and nothing else to write.

    A member may draw from the global random streams of torch, NumPy and Python: within its calls they are its own, and
    its seed is what they take, a whole number below 2 to the 32. Python's stream, which libraries draw from too, is its
    own as far as no other thread of the process draws from it meanwhile; a `random.Random(seed)` is beyond their reach.
    """

    member: ClassVar[type[Member]]

    def __init__(self, configs: Sequence[Any], seeds: Sequence[int], data: Dataset, device: torch.device) -> None:
        self.streams = [GlobalStreams(seed, device) for seed in seeds]
        self.members: list[Member] = []
        for config, seed, streams in zip(configs, seeds, self.streams, strict=True):
            with streams.own():
                self.members.append(self.member(config, stream_seed(seed, "member"), data, device))

    def stages(self) -> Sequence[Sequence[Stage]]:
        """Return each member's `stages`, where it has such an attribute."""
        return [getattr(member, "stages", ()) for member in self.members]

    def fit_epoch(self) -> None:
        """Train each member for one epoch."""
        for member, streams in zip(self.members, self.streams, strict=True):
            with streams.own():
                member.fit_epoch()

    def evaluate(self, last: bool) -> list[Row]:
        """Return each member's row."""
        rows = []
        for member, streams in zip(self.members, self.streams, strict=True):
            with streams.own(evaluating=True):
                rows.append(member.evaluate(last))
        return rows

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""
        self.members, self.streams = chosen(self.members, members), chosen(self.streams, members)

    def state_dict(self) -> State:
        """Return the states by position, each member's streams beside its own."""
        state: State = {}
        for index, (member, streams) in enumerate(zip(self.members, self.streams, strict=True)):
            state[str(index)] = {"member": member.state_dict(), "streams": streams.state_dict()}
        return state

    def load_state_dict(self, state: State) -> None:
        """Take up the states by position; without streams, these stay where they are."""
        for index, (member, streams) in enumerate(zip(self.members, self.streams, strict=True)):
            member.load_state_dict(state[str(index)]["member"])
            if "streams" in state[str(index)]:  # kept weights have none
                streams.load_state_dict(state[str(index)]["streams"])


@runtime_checkable
class Stateful(Protocol):
    """A part of a fused method that carries member state of its own: a network, an optimiser, streams, a queue."""

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members."""

    def state_dict(self) -> dict[str, Any]:
        """Return all state."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state."""


class FusedMethod(Method):
    """Members on a leading axis. One registry is walked by `keep`, `state_dict` and `load_state_dict` alike.

    Subclasses name in `member_state` the attributes that are tensors with leading axis M (or None) or `Stateful`
    parts, and in `shared_state` the plain ints that all members share (epoch, step). `configs` and `seeds` are kept
    in step; what is derived from configs (per-member rates) belongs into `member_state` too, or is rebuilt in `kept`.
    """

    member_state: ClassVar[tuple[str, ...]]
    shared_state: ClassVar[tuple[str, ...]] = ("epoch",)

    def __init__(self, configs: Sequence[Any], seeds: Sequence[int], data: Dataset, device: torch.device) -> None:
        self.configs, self.seeds, self.data, self.device = list(configs), list(seeds), data, device
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.configs)

    def column(self, knob: str) -> Tensor:
        """Return a knob of all members as a float tensor (M,)."""
        return torch.tensor([float(getattr(config, knob)) for config in self.configs], device=self.device)

    def columns(self, knobs: Sequence[str]) -> dict[str, Tensor]:
        """Return several knobs by name, each as `column` does."""
        return {knob: self.column(knob) for knob in knobs}

    def has(self, knob: str, *values: object) -> Tensor:
        """Return which members' knob has one of some values, as a bool tensor (M,)."""
        return torch.tensor([getattr(config, knob) in values for config in self.configs], device=self.device)

    def keep(self, members: Sequence[int]) -> None:
        """Drop all other members from every registered part."""
        index = torch.as_tensor(list(members), device=self.device)
        for name in self.member_state:
            part = getattr(self, name)
            if isinstance(part, Tensor):
                setattr(self, name, part.detach()[index].clone().requires_grad_(part.requires_grad))
            elif part is not None:
                cast(Stateful, part).keep(members)
        self.configs, self.seeds = chosen(self.configs, members), chosen(self.seeds, members)

    def state_dict(self) -> State:
        """Return every registered part; tensors are copies."""
        state: State = {name: torch.tensor(getattr(self, name)) for name in self.shared_state}
        for name in self.member_state:
            part = getattr(self, name)
            if isinstance(part, Tensor):
                state[name] = part.detach().clone()
            elif part is not None:
                state[name] = part.state_dict()
        return state

    def load_state_dict(self, state: State) -> None:
        """Take up every registered part."""
        for name in self.shared_state:
            setattr(self, name, int(state[name]))
        for name in self.member_state:
            part = getattr(self, name)
            if isinstance(part, Tensor):
                setattr(self, name, state[name].clone().to(self.device).requires_grad_(part.requires_grad))
            elif part is not None:
                part.load_state_dict(state[name])
