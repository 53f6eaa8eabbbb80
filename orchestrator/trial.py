"""A trial: what one training run is, the id that follows from it, and what may become of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from orchestrator.knobs import Value

__all__ = [
    "FENCE_MARK",
    "MEMBERS_FILE",
    "PRECISIONS",
    "Bundle",
    "BundleTask",
    "FailureKind",
    "Limits",
    "Report",
    "SeedBlock",
    "Stage",
    "TrialOutcome",
    "TrialSpec",
    "TrialState",
    "canonical_json",
    "digest",
    "ids",
    "stages_of",
    "stages_text",
]

PRECISIONS = ("float32", "tf32", "bfloat16")
"""float32 throughout; products of a GPU rounded to TF32; forward passes in bfloat16 (automatic mixed precision)."""

MEMBERS_FILE = "members.json"
"""In a checkpoint folder: the ordered trial_ids of the bundle, so that the engine can hand it out as it was."""

FENCE_MARK = ".fence-"
"""In a checkpoint folder, the beginning of the name of an empty file: the fence of the last handing out."""


class TrialState(StrEnum):
    """How an attempt ended. A collapsed trial is `complete`: collapse is an outcome, not a failure."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"


class FailureKind(StrEnum):
    """Why an attempt failed; decides whether and how it is tried again."""

    OUT_OF_MEMORY = "out_of_memory"
    DIVERGED = "diverged"
    DATA = "data"
    INFRASTRUCTURE = "infrastructure"
    PREEMPTION = "preemption"
    TIMEOUT = "timeout"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    BUG = "bug"


class SeedBlock(StrEnum):
    """Which block a seed comes from. What was chosen by looking at one block is never tested on that block."""

    SEARCH = "search"
    CONFIRM = "confirm"


def canonical_json(content: object) -> str:
    """Return the one JSON text of `content`: sorted keys, no spaces, shortest floats, no NaN."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(content: object, size: int = 10) -> str:
    """Return the blake2b hex digest of the canonical JSON of `content` (`size` bytes)."""
    return hashlib.blake2b(canonical_json(content).encode(), digest_size=size).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Something that is made once and that many trials build on: features of a frozen encoder, a pretraining."""

    name: str
    key: str
    """Digest of all that it follows from, and of nothing else; names the artifact."""
    drawn: bool = False
    """Whether a seed had a part in it: trials that share it then cannot tell how it varies, and a verdict says so."""

    @classmethod
    def of(cls, name: str, reads: Mapping[str, Any], *, drawn: bool = False) -> Stage:
        """Return a stage whose key follows from its name and what it reads: config fields, data, its seed if any."""
        return cls(name=name, key=digest({"stage": name, **reads}), drawn=drawn)


def stages_text(stages: Sequence[Stage]) -> str:
    """Return stages as a row of the ledger holds them: canonical JSON; empty if there are none."""
    found = sorted(set(stages), key=lambda stage: (stage.name, stage.key, stage.drawn))
    return canonical_json([asdict(stage) for stage in found]) if found else ""


def stages_of(text: object) -> tuple[Stage, ...]:
    """Return the stages that `stages_text` wrote; none for an absent value (rows from before stages were recorded)."""
    return tuple(Stage(**one) for one in json.loads(text)) if isinstance(text, str) and text else ()


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """One training run, exactly: two specs with equal fields are the same trial, whoever asks for it."""

    method: str
    method_version: int
    config: Mapping[str, Value]
    """Canonical values of all knobs."""
    dataset: str
    dataset_digest: str
    protocol: str = "whole"
    """`whole`: fitted and scored on the same data; `split`: fitted on the train part, scored on the test part."""
    seed_block: SeedBlock = SeedBlock.CONFIRM
    seed: int = 0
    n_epochs: int = 1
    precision: str = "float32"
    """One of `PRECISIONS`."""
    stop: str = ""
    """By which rule training ends before the budget (`orchestrator.plateau`); empty: by none."""
    declaration: str = ""
    """Digest of what a method that a study's file declares is asked, and of the data files that it names
    (`orchestrator.own`); empty: its method has a file of the project's form."""

    @cached_property
    def trial_id(self) -> str:
        """Hash of exactly these fields (20 hex digits); a rule or a declaration that there is not has no part in it."""
        there = {name: value for name, value in (("stop", self.stop), ("declaration", self.declaration)) if value}
        return digest(
            {
                **there,
                "method": self.method,
                "method_version": self.method_version,
                "config": dict(self.config),
                "dataset": self.dataset,
                "dataset_digest": self.dataset_digest,
                "protocol": self.protocol,
                "seed_block": str(self.seed_block),
                "seed": self.seed,
                "n_epochs": self.n_epochs,
                "precision": self.precision,
            }
        )

    @property
    def root_seed(self) -> int:
        """The integer from which every random stream of the trial derives; blocks never share one (63 bits)."""
        block = hashlib.blake2b(f"{self.seed_block}:{self.seed}".encode(), digest_size=8)
        return int.from_bytes(block.digest(), "big") >> 1


@dataclass(frozen=True)
class Bundle:
    """1..P trials that one Ray Tune trial trains together; a trial's place in `specs` is its member index.

    All members agree in everything but fusing knobs and seed (the rule is `orchestrator.bundles.grouping`).
    """

    specs: tuple[TrialSpec, ...]
    attempts: tuple[int, ...] = ()
    """Attempt number of each member, from 1; empty: all first attempts."""
    prunable: bool = False
    """Whether the executor asks for pruning decisions after each evaluation (searches only)."""

    @cached_property
    def bundle_id(self) -> str:
        """Hash of the ordered member ids."""
        return digest(self.trial_ids)

    @property
    def trial_ids(self) -> list[str]:
        """The trials of the members, in order."""
        return ids(self.specs)

    def attempt(self, member: int) -> int:
        """Return the attempt number of a member."""
        return self.attempts[member] if self.attempts else 1

    def __len__(self) -> int:
        return len(self.specs)


@dataclass(frozen=True, kw_only=True)
class TrialOutcome:
    """What became of one member of a bundle; with the spec it makes one row of the ledger's trials table."""

    spec: TrialSpec
    attempt: int
    state: TrialState
    failure_kind: FailureKind | None = None
    error: str = ""
    """Traceback of a failure, else empty."""
    collapsed: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Last evaluation: metric.<name> without the prefix."""
    cost: Mapping[str, float] = field(default_factory=dict)
    """seconds (the member's share of the bundle), peak_memory_bytes, gpu_seconds."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """bundle_id, bundle_size, device, threads, started_at, finished_at, code_digest, git_commit, versions, stages
    (`stages_text`), and what `trainables.training.numerics` says of the device."""


def ids(specs: Sequence[TrialSpec]) -> list[str]:
    """Return the trial_ids of `specs` in order."""
    return [spec.trial_id for spec in specs]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a trial may take on the machine that trains it: no part of what it is."""

    seconds: float | None = None
    """Wall time: the trial's share of its bundle's."""
    memory_bytes: int | None = None
    """What training may add to the memory of the process, or hold on the card."""


@dataclass(frozen=True, kw_only=True)
class BundleTask:
    """A bundle with all that a worker must know to train it; travels to workers, so it holds plain data only."""

    bundle: Bundle
    device: str = "cpu"
    threads: int = 1
    """torch threads; fixed at 1 per CPU, because the thread count changes a CNN's bits."""
    checkpoint_folder: str = ""
    """results/checkpoints/<bundle_id>, on storage that driver and workers share; empty: no checkpoints."""
    checkpoint_seconds: float = 60.0
    fence: str = ""
    """Names this handing out of the bundle; that of a later one sorts after it. Workers of earlier ones may live on."""
    code_digest: str = ""
    """The driver's digest of the method's code; a worker whose own differs raises CodeMismatchError."""
    share: float = 1.0
    """The part of a GPU that it takes: 1, or 1/n for what cannot fuse."""
    plugins: tuple[str, ...] = ()
    """Folders with a user's own methods and datasets."""
    needed: tuple[str, ...] = ()
    """Metrics that the trials are wanted for: one that is no number at the end has diverged, as a loss at any time."""
    limits: Limits = field(default_factory=Limits)
    ended_members: tuple[int, ...] = ()
    """Members whose end the ledger has: they keep their place, since a checkpoint counts on it, and are not trained."""
    kept_members: tuple[int, ...] = ()
    """Members whose weights, assignments and embeddings come with their outcome (`Report.kept`)."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a worker says after an evaluation: rows of all living members, and outcomes of those that ended.

    `rows` is an Arrow IPC stream (bytes) in the form of the ledger's epochs table (trial_id, attempt, epoch, seconds,
    metric.<name>, diagnostic.<name>); empty bytes: none. The first report of a bundle that goes on from a checkpoint
    repeats all earlier rows and sets `restarted`: the receiver forgets what it holds of the bundle.
    """

    rows: bytes = b""
    outcomes: tuple[TrialOutcome, ...] = ()
    restarted: bool = False
    out_of_memory: int = 0
    """Members of the group that memory ran out for just now; 0: none. They are trained again in smaller groups."""
    finished: bool = False
    """True in the last report of the bundle: every member has had its outcome."""
    note: str = ""
    """One line for whoever watches the run: what went wrong without an outcome."""
    device_name: str = ""
    """Name of the processor or card that trains the bundle; in its first report at least, empty: as said before."""
    log: str = ""
    """What the worker printed since the bundle began, its end at least; only beside a failure."""
    kept: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """trial_id -> what is kept of it, of members that are complete with this report: `weights` (a safetensors file, or
    what a command left), `assignments` and `embeddings` (.npy); what there is not is left out."""

    @property
    def trial_ids(self) -> set[str]:
        """The trials that ended with this report."""
        return set(ids([outcome.spec for outcome in self.outcomes]))
