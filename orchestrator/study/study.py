"""A study: a named, finite question; loading one by name, dotted name or file path; checking it.

The record of a study, `study.json` beside its plan (written by the runner, read by `analysis`):

    schema_version  1
    name, question, paper, docstring, tier, exploratory (of another tier than `local` this is a record of its own,
                    studies/NAME.TIER, so that no tier overwrites another)
    metric          the metric that verdicts are about, e.g. "nmi" (columns: metric.nmi)
    declares        names of the methods that the study's own file declares
    metrics         {metric: {fact: value}}: what the study's own methods declare of the metrics that they report
    alpha, margin   family-wise error; equivalence margin in units of the metric (null: none stated)
    beats_chance_by by how much the baseline must beat chance for the study to mean anything
    chance          {dataset: {acc, nmi, ari, ami}}: what random partitions score there
    data_files      {dataset: what is loaded for it}, paths as seen from the results folder; of the user's own files
    labelled        {dataset: [scored points with a label, scored points]}; absent from records before labels could be
    sought          {dataset: [clusters that methods look for, classes]}; absent from older records
    datasets, protocol, precision, n_epochs, failure_budget (precision: float32 in records from before it was one)
    stop            {metric, patience, least, after}: the plateau at which trials end; null: they train all epochs
    seeds           {"block": "confirm", "seeds": [...], "looks": null | [10, 20, 40], "planned": [12], "file": [12]};
                    planned: the file's when the study first ran, whatever --set or the file say later (looks: the
                    same, of until_decided); file: what it says now
    looks_taken     every look that was taken at the study: [{"at": iso time, "n_seeds": 12, "planned": true}, ...],
                    reports of a study under way included (looks.jsonl beside it until the next run)
    arms            [{name, method, dataset, values, role, factor, level, design}], baseline first
    contrasts       [{name, kind, factor, level, dataset, weights: {arm name: weight}}]
    searches        [{method, dataset, rules, sampler, n_configurations, n_seeds, round_size, rounds_ahead, space,
                    chosen, history, warm_start}]; a history entry: {number, values, objective, state, trial_ids}
                    and, of an earlier configuration, "warm_start": true; warm_start: null | {at_most, trial_ids: a
                    list each}
    equivalence     {"checks": [{method, dataset, shape, trial_id, bundle_id, bundle_size, equal, says}],
                    "trials_since": {shape: n}}: members of bundles trained again alone, and what differed then
    runs            what each run was priced at and what it spent (see `account`)
    versions, git_commit, created_at, command

`plan.parquet` has one row per trial that the study asks for: trial_id, arm, factor, level, role (baseline, level,
rival, search), phase (search, confirm), dataset, method, seed_block, seed, configuration (number within a search, -1).
With several datasets an arm's name ends in ` @ dataset`, so that names are unique and every contrast names its arms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator import discovery
from orchestrator.allowed import (
    Checked,
    Rule,
    allowed,
    either,
    flag,
    instance,
    many,
    mapping,
    number,
    one_of,
    optional,
    text,
    value,
    whole,
    word,
)
from orchestrator.dataset_name import DatasetName, named
from orchestrator.designs.base import DESIGN, Design
from orchestrator.designs.search import MOST_EPOCHS, Search
from orchestrator.errors import RequestError
from orchestrator.knobs import Value
from orchestrator.own.declared import OWN_DATA, declaration_of
from orchestrator.plateau import Plateau
from orchestrator.trial import PRECISIONS

__all__ = [
    "LOCAL",
    "MOST_EPOCHS",
    "MOST_SEEDS",
    "MOST_TRIALS",
    "PROTOCOLS",
    "Study",
    "Tier",
    "UntilDecided",
    "key_of",
    "load",
    "until_decided",
]

PROTOCOLS = ("whole", "split")
"""What is fitted and what is scored: all points, or the train part and the test part."""

LOCAL = "local"
"""The tier that a study file describes; `Study.tiers` says how others differ from it."""

MOST_SEEDS = 100_000

MOST_TRIALS, MOST_ARMS = 100_000, 20_000
"""Trials and arms of a study that are planned within seconds."""

_REFERENCE = text("the reference of a dataset", most=4_000)

DATASETS = many(
    Rule(
        _REFERENCE.says,
        lambda given, where: named(given if isinstance(given, DatasetName) else _REFERENCE.convert(given, where)),
    ),
    "a tuple of different datasets' references, at least one",
    least=1,
    distinct=True,
)
EPOCHS = whole(1, MOST_EPOCHS)
BASES = mapping(mapping(value(), "knob -> value"), "method -> knob -> value")
SECONDS = mapping(number(above=0), "method -> GPU-seconds an epoch")


@dataclass(frozen=True)
class UntilDecided(Checked):
    """Sequential replication: look at fixed numbers of seeds, stop when every contrast is decided."""

    looks: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check that the looks grow.

        Raises:
            RequestError: they do not, or are no whole numbers from 2.
        """
        says = f"growing whole numbers from 2 to {MOST_SEEDS:,}"
        looks = many(whole(2, MOST_SEEDS), says, least=1).accept(self.looks, "until_decided: looks")
        if list(looks) != sorted(set(looks)):
            raise RequestError(f"until_decided: looks = {self.looks!r} is not allowed; it is {says}")
        object.__setattr__(self, "looks", looks)


def until_decided(looks: Sequence[int] = (10, 20, 40)) -> UntilDecided:
    """Add confirm seeds look by look until every contrast is decided or the last look is taken.

    Raises:
        RequestError: looks that do not grow, or start below 2.
    """
    return UntilDecided(looks)  # type: ignore[arg-type]  # becomes a tuple


WORD = word()
"""Names that become part of a file's name."""

SEEDS = either(whole(1, MOST_SEEDS), instance(UntilDecided, "until_decided(looks=(10, 20, 40))"))


@dataclass(frozen=True, kw_only=True)
class Tier(Checked):
    """Data, network and budget of another tier; never the question, the levels or the test (`study.tiers`)."""

    datasets: tuple[str, ...] = field(metadata=allowed(DATASETS))
    n_epochs: int | None = field(default=None, metadata=allowed(optional(EPOCHS)))
    """Epochs a trial; None: as at the local tier."""
    search_epochs: int | None = field(default=None, metadata=allowed(optional(EPOCHS)))
    """Epochs of a search's trials; None: those of the other trials."""
    seeds: int | UntilDecided | None = field(default=None, metadata=allowed(optional(SEEDS)))
    """None: as at the local tier."""
    protocol: str | None = field(default=None, metadata=allowed(optional(one_of(PROTOCOLS, "protocol"))))
    """Which points are fitted and scored there; None: as at the local tier."""
    base: Mapping[str, Mapping[str, Value]] = field(default_factory=dict, metadata=allowed(BASES))
    """Method -> knob -> value, on top of the base of every design over that method: its network, batch, schedule."""
    epoch_seconds: Mapping[str, float] = field(default_factory=dict, metadata=allowed(SECONDS))
    """Method -> GPU-seconds an epoch of one trial, until the ledger knows better."""
    exploratory: bool = field(default=False, metadata=allowed(flag()))
    """Whether the study describes there and claims nothing, as on few seeds."""


@dataclass(frozen=True, kw_only=True)
class Study(Checked):
    """A question as data. One file holds one as `STUDY`; the file's docstring says what the paper says.

    Raises:
        RequestError: a field holds what it may not; the line names the field, the value and what is allowed.
    """

    question: str = field(metadata=allowed(text("the question as a text", lines=True, most=10_000)))
    design: Design = field(metadata=allowed(DESIGN))
    datasets: tuple[str, ...] = field(default=(OWN_DATA,), metadata=allowed(DATASETS))
    """What is clustered; left out where every method is one of the user's own that brings its data."""
    rivals: tuple[Design, ...] = field(default=(), metadata=allowed(many(DESIGN, "a tuple of designs")))
    """Further designs; their arms are compared with the baseline of `design`."""
    seeds: int | UntilDecided = field(default=10, metadata=allowed(SEEDS))
    seeds_by_hand: int | None = field(default=None, metadata=allowed(optional(whole(1, MOST_SEEDS))))
    """Set by `--set seeds=N`: a look that the study file did not plan, remembered and paid for."""
    n_epochs: int | None = field(default=None, metadata=allowed(optional(EPOCHS)))
    """Epochs a trial; None: the method's default."""
    paper: str = field(default="", metadata=allowed(text(empty=True)))
    protocol: str = field(default="whole", metadata=allowed(one_of(PROTOCOLS, "protocol")))
    """`whole`: fitted and scored on the same data; `split`: fitted on the train part, scored on the test part."""
    precision: str = field(default="float32", metadata=allowed(one_of(PRECISIONS, "precision")))
    """One of `PRECISIONS`, for the methods that list it; others are computed in float32, as their rows say."""
    metric: str = field(default="nmi", metadata=allowed(text("the name of a metric")))
    alpha: float = field(default=0.05, metadata=allowed(number(above=0, below=1)))
    margin: float | None = field(default=None, metadata=allowed(optional(number(above=0))))
    """Differences within +-margin (units of `metric`) count as none; states what "no effect" means before the run.
    A study that tests anything states one, unless it is exploratory."""
    beats_chance_by: float = field(default=0.1, metadata=allowed(number(0)))
    """What the baseline must score above random partitions (units of `metric`, or of NMI if `metric` reads no labels);
    a baseline that does not is reported as not working at this tier, whatever its arms differ by."""
    exploratory: bool = field(default=False, metadata=allowed(flag()))
    stop: Plateau | None = field(
        default=None, metadata=allowed(optional(instance(Plateau, "Plateau(metric='loss', patience=5)")))
    )
    """When a trial ends before its epochs are over, by a metric that reads no labels; part of what the trial is."""
    failure_budget: float = field(default=0.1, metadata=allowed(number(0, 1)))
    """Share of the study's trials that may fail before the run stops."""
    tiers: Mapping[str, Tier] = field(
        default_factory=dict, metadata=allowed(mapping(instance(Tier, "Tier(...)"), "name -> Tier(...)", key=WORD))
    )
    keep: str = field(default="", metadata=allowed(one_of(("", "chosen", "confirm"), "keep")))
    """Of which confirm trials weights, assignments and embeddings are kept: `chosen` (the baseline, which is what a
    search chose, and the rivals), `confirm` (every arm), or of none. No part of what a trial is."""
    name: str = field(default="", metadata=allowed(text(empty=True)))
    docstring: str = field(default="", metadata=allowed(text(empty=True, lines=True, most=200_000)))
    file: str = field(default="", repr=False, compare=False, metadata=allowed(text(empty=True, most=4_096)))
    """Path of its file, if it was loaded by path."""
    settings: tuple[str, ...] = field(default=(), metadata=allowed(many(text(most=1_000), "a tuple of settings")))
    """What `--set` changed, as it was given: part of the command that runs the study again."""
    tier: str = field(default=LOCAL, metadata=allowed(WORD))
    epoch_seconds: Mapping[str, float] = field(default_factory=dict, metadata=allowed(SECONDS))
    """Set by the tier; see there."""

    @property
    def called(self) -> str:  # type: ignore[override]  # read only
        """The study as messages name it."""
        return f"study {self.name}" if isinstance(self.name, str) and self.name else "Study"

    @property
    def key(self) -> str:
        """Name of the study's record in the ledger: a tier other than `local` has one of its own."""
        return key_of(self.name, self.tier)

    @property
    def designs(self) -> tuple[Design, ...]:
        """The design and the rivals, in order."""
        return (self.design, *self.rivals)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods, in order of appearance."""
        return tuple(dict.fromkeys(design.method for design in self.designs))

    @property
    def declared_metrics(self) -> dict[str, Mapping[str, Any]]:
        """Metric -> its facts, of those that the study's own methods declare."""
        own = [declared for method in self.methods if (declared := declaration_of(method)) is not None]
        return {name: facts for declared in own for name, facts in declared.metrics.items()}

    @property
    def knobs(self) -> tuple[str, ...]:
        """All searched or varied knobs, as `method.knob`."""
        return tuple(dict.fromkeys(f"{design.method}.{knob}" for design in self.designs for knob in design.knobs))

    @property
    def planned_looks(self) -> tuple[int, ...]:
        """Numbers of confirm seeds at which the file says that one looks; one, or those of `until_decided`."""
        return self.seeds.looks if isinstance(self.seeds, UntilDecided) else (self.seeds,)

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of confirm seeds at which this run looks."""
        return self.planned_looks if self.seeds_by_hand is None else (self.seeds_by_hand,)

    def searches(self) -> list[Search]:
        """Return the searches within the designs."""
        return [design.search for design in self.designs if design.search is not None]

    def require_plannable(self) -> None:
        """Refuse a study of more trials than can be planned: they are counted from the fields, and nothing is made.

        Raises:
            RequestError: names the part of the study that asks for most of them.
        """
        n_arms = len(self.datasets) * sum(design.most_arms for design in self.designs)
        if n_arms > MOST_ARMS:
            raise RequestError(
                f"{self.called}: {n_arms:,} arms are too many to plan; at most {MOST_ARMS:,} in one study"
            )
        parts: list[tuple[int, str]] = []
        for design in self.designs:
            search, arms = design.search, design.most_arms
            if search is not None:
                parts.append((search.n_configurations * search.n_seeds, f"{search.n_configurations:,} configurations"))
            parts.append((arms * self.looks[-1], f"{arms:,} arms on {self.looks[-1]:,} seeds"))
        total = len(self.datasets) * sum(size for size, _ in parts)
        if total > MOST_TRIALS:
            largest = f"{max(parts)[1]}, {len(self.datasets)} datasets"
            raise RequestError(
                f"{self.called}: {total:,} trials are too many to plan ({largest}); at most {MOST_TRIALS:,} in a study"
            )

    def with_designs(self, designs: Sequence[Design]) -> Study:
        """Return the study with other designs in the places of its own."""
        return replace(self, design=designs[0], rivals=tuple(designs[1:]))


def load(name: str, plugins: Sequence[str] = ()) -> Study:
    """Return a study by name (`quickstart`), dotted name (`studies.quickstart`) or path (`my/study.py`).

    Raises:
        UnknownNameError: no such study.
        RequestError: a file that does not import, or holds no `STUDY`.
    """
    discovery.use_plugins(plugins)  # a design may name their metrics
    if name.endswith(".py") or "/" in name:
        module = discovery.load_file(Path(name), "study")
        stem, file = Path(name).stem, str(Path(name).resolve())
    else:
        file = ""
        stem = name.removeprefix("studies.")
        module = discovery.find("study", stem, plugins)
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise RequestError(f"study file of {name!r} defines no STUDY = Study(...)")
    WORD.accept(stem, f"study file {name!r}: its name")
    if any(map(declaration_of, study.methods)):
        file = str(Path(module.__file__ or "").resolve())  # whoever trains its trials again has to read it
    checked = replace(study, name=stem, file=file, docstring=(module.__doc__ or "").strip())
    check(checked)
    discovery.use_methods(checked.methods)
    discovery.use_metrics(checked.declared_metrics)
    return checked


def key_of(name: str, tier: str = LOCAL) -> str:
    """Return the name of a study's record from any way to name the study: NAME, studies.NAME, path/to/NAME.py."""
    stem = Path(name).stem if name.endswith(".py") or "/" in name else name.removeprefix("studies.")
    return stem if tier == LOCAL else f"{stem}.{tier}"


def check(study: Study) -> None:
    """Refuse what cannot be run or answered, before anything starts.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """
    if study.looks[0] < 2 and study.design.search is not study.design:
        raise RequestError(f"{study.called}: seeds = {study.looks[0]!r}; paired tests need at least 2")
    if LOCAL in study.tiers:
        raise RequestError(f"{study.called}: tiers[{LOCAL!r}] is not allowed; the local tier is the study itself")
    study.require_plannable()
