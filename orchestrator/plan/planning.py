"""From a study to trials: arms, their specs, contrasts. Knows which trials a study asks for, not which have run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator import discovery
from orchestrator.designs.around import Around
from orchestrator.designs.base import Arm, Contrast, Design, with_base
from orchestrator.designs.screening import value_at
from orchestrator.designs.search import Search
from orchestrator.errors import DataError, RequestError
from orchestrator.knobs import Knob, Value, canonical, knobs_of
from orchestrator.study import PROTOCOLS, Study
from orchestrator.trial import PRECISIONS, SeedBlock, TrialSpec

__all__ = [
    "Catalogue",
    "PlannedArm",
    "PlannedTrial",
    "confirm_trials",
    "contrasts",
    "planned_arms",
    "validate",
    "with_settings",
]


@dataclass(frozen=True, kw_only=True)
class PlannedArm:
    """An arm on one dataset, with its name in the study (unique) and the place of its design in the study."""

    arm: Arm
    name: str
    dataset: str
    design: int


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """A trial and why the study asks for it: one row of plan.parquet."""

    spec: TrialSpec
    arm: str
    role: str
    phase: str
    factor: str = ""
    level: str = ""
    configuration: int = -1

    def row(self) -> dict[str, object]:
        """Return the row of plan.parquet."""
        return {
            "trial_id": self.spec.trial_id,
            "arm": self.arm,
            "factor": self.factor,
            "level": self.level,
            "role": self.role,
            "phase": self.phase,
            "dataset": self.spec.dataset,
            "method": self.spec.method,
            "seed_block": str(self.spec.seed_block),
            "seed": self.spec.seed,
            "configuration": self.configuration,
        }


@dataclass
class Catalogue:
    """The methods and datasets that a run refers to, each looked up once."""

    plugins: tuple[str, ...] = ()
    without_data: bool = False
    """Whether a dataset that cannot be loaded may be planned with: `absent` then says why, and nothing is a hit."""
    absent: dict[str, str] = field(default_factory=dict)
    _methods: dict[str, Any] = field(default_factory=dict)
    _spaces: dict[str, dict[str, Knob]] = field(default_factory=dict)

    def method(self, name: str) -> Any:
        """Return a Method class."""
        if name not in self._methods:
            self._methods[name] = discovery.method(name, self.plugins)
        return self._methods[name]

    def space(self, name: str) -> dict[str, Knob]:
        """Return a method's knobs."""
        if name not in self._spaces:
            self._spaces[name] = knobs_of(self.method(name).Config)
        return self._spaces[name]

    def spaces(self, names: Sequence[str]) -> dict[str, Mapping[str, Knob]]:
        """Return the knobs of several methods."""
        return {name: self.space(name) for name in names}

    def dataset(self, reference: str, protocol: str) -> Any:
        """Return a loaded dataset."""
        return discovery.load_dataset(reference, protocol, self.plugins)

    def digest(self, reference: str, protocol: str) -> str:
        """Return the digest of a dataset's content; empty if it is absent and that is allowed."""
        if reference in self.absent:
            return ""
        try:
            return str(self.dataset(reference, protocol).digest)
        except DataError as error:
            if not self.without_data:
                raise
            self.absent[reference] = str(error)
            return ""

    def spec(
        self, study: Study, method: str, values: Mapping[str, Value], dataset: str, n_epochs: int | None
    ) -> TrialSpec:
        """Return the spec of a configuration on a dataset, seed 0 of the confirm block."""
        found = self.method(method)
        return TrialSpec(
            method=method,
            method_version=found.version,
            config=canonical(self.space(method), values, method),
            dataset=dataset,
            dataset_digest=self.digest(dataset, study.protocol),
            protocol=study.protocol,
            n_epochs=n_epochs or study.n_epochs or found.Config().n_epochs,
            precision=study.precision if study.precision in found.precisions else "float32",
        )

    def member_limit(self, spec: TrialSpec) -> int:
        """Return the largest bundle that the method allows for the shape of `spec`."""
        found = self.method(spec.method)
        config = found.Config(**spec.config, n_epochs=spec.n_epochs)
        return int(found.max_members(config, self.dataset(spec.dataset, spec.protocol)))


def validate(study: Study, catalogue: Catalogue) -> int:
    """Refuse what is wrong with a study's methods, knobs, levels and datasets, before anything starts.

    Returns:
        The number of contrasts that the study will test.

    Raises:
        RequestError: one line that names the value and what is allowed.
    """
    require_precision(study, catalogue)
    for reference in study.datasets:
        discovery.find("dataset", reference.partition(":")[0], catalogue.plugins)
    for search in study.searches():
        space = catalogue.space(search.method)
        for name in search.base:
            if name in search.over:
                raise RequestError(f"{search.method}.{name} = {search.base[name]!r} is both set and searched")
        canonical(space, search.base, search.method)
        search.domains(space)
    arms: list[PlannedArm] = []
    for dataset in study.datasets:
        for index, design in enumerate(study.designs):
            if isinstance(design, Design):
                arms += planned_arms(study, index, design, dataset, placeholder(design, catalogue), catalogue)
    names = [arm.name for arm in arms]
    for name in names:
        if names.count(name) > 1:
            raise RequestError(f"study {study.name}: two arms are called {name!r}; give a rival a name of its own")
    found = contrasts(study, arms)
    refuse_twins(study, found, arms, catalogue)
    require_margin(study, len(found))
    return len(found)


def require_precision(study: Study, catalogue: Catalogue) -> None:
    """Refuse a precision that would change no trial of a study.

    Raises:
        RequestError: says what its methods have.
    """
    has = {precision for method in study.methods for precision in catalogue.method(method).precisions}
    if study.precision not in has:
        raise RequestError(
            f"study {study.name}: precision {study.precision!r}: {', '.join(study.methods)} "
            f"know{'s' * (len(study.methods) == 1)} {', '.join(sorted(has))} only"
        )


def refuse_twins(
    study: Study, found: Sequence[tuple[Contrast, str]], arms: Sequence[PlannedArm], catalogue: Catalogue
) -> None:
    """Refuse a difference between two arms that mean the same configuration: they would be the same trials.

    What two searches choose may well be the same, and that is an answer: their arms are not known yet.

    Raises:
        RequestError: names both arms.
    """
    means = {
        one.name: (one.arm.method, canonical(catalogue.space(one.arm.method), one.arm.values, one.arm.method))
        for one in arms
        if not hasattr(study.designs[one.design], "first")
    }
    for contrast, _ in found:
        one, *others = contrast.weights
        if len(others) == 1 and one in means and means[one] == means.get(others[0]):
            raise RequestError(f"study {study.name}: arms {one!r} and {others[0]!r} are the same configuration")


def require_margin(study: Study, n_contrasts: int) -> None:
    """Refuse a confirmatory study that does not say which difference counts as none.

    Raises:
        RequestError: says what to write.
    """
    if n_contrasts and study.margin is None and not study.exploratory:
        raise RequestError(
            f"study {study.name}: margin is missing; state below which difference of {study.metric} arms count as "
            "equal (margin=0.02), or say exploratory=True"
        )


def placeholder(design: Design, catalogue: Catalogue) -> dict[str, Value]:
    """Return values that a search might choose: inside its ranges, and no round number that a level could equal."""
    first = getattr(design, "first", None)
    if not isinstance(first, Search):
        return {}
    domains = first.domains(catalogue.space(design.method))
    return {name: value_at(domain, 0.61803) for name, domain in domains.items()}


def planned_arms(
    study: Study, index: int, design: Design, dataset: str, base: Mapping[str, Value], catalogue: Catalogue
) -> list[PlannedArm]:
    """Return the arms of one design of a study on one dataset, around `base`."""
    suffix = f" @ {dataset}" if len(study.datasets) > 1 else ""
    found = design.arms(catalogue.space(design.method), base)
    arms = []
    for arm in found:
        role = arm.role if index == 0 or arm.role != "baseline" else "rival"
        name = arm.name if index == 0 or arm.name == design.method else f"{design.method} {arm.name}"
        arms.append(PlannedArm(arm=replace(arm, role=role), name=name + suffix, dataset=dataset, design=index))
    return arms


def contrasts(study: Study, arms: Sequence[PlannedArm]) -> list[tuple[Contrast, str]]:
    """Return every contrast of the study over its planned arms, each with its dataset.

    The design contributes its own. So does a rival design over the same method (a second question about it, as
    add_one_in beside leave_one_out), whose baseline alone is compared with the study's; of a rival of another method
    every arm is.
    """
    found: list[tuple[Contrast, str]] = []
    for dataset in study.datasets:
        here = [arm for arm in arms if arm.dataset == dataset]
        for index, design in enumerate(study.designs):
            own = [arm for arm in here if arm.design == index]
            renamed = {arm.arm.name: arm.name for arm in own}
            if own and isinstance(design, Design) and (index == 0 or _asks_of_its_own(study, index)):
                found += [(_renamed(c, renamed), dataset) for c in design.contrasts([_as_asked(arm) for arm in own])]
        baseline = next((arm for arm in here if arm.arm.role == "baseline"), None)
        if baseline is not None:
            found += [
                (_against(arm, baseline), dataset)
                for arm in here
                if arm.design > 0 and (arm.arm.role == "rival" or not _asks_of_its_own(study, arm.design))
            ]
    return found


def _asks_of_its_own(study: Study, index: int) -> bool:
    return study.designs[index].method == study.design.method


def _as_asked(arm: PlannedArm) -> Arm:
    """Return the arm in the role that its own design gave it: a second design's baseline is a rival of the study's."""
    return replace(arm.arm, role="baseline") if arm.arm.role == "rival" else arm.arm


def _renamed(contrast: Contrast, names: Mapping[str, str]) -> Contrast:
    parts = contrast.name.split(" vs ")
    name = " vs ".join(names.get(part, part) for part in parts)
    return replace(contrast, name=name, weights={names[arm]: weight for arm, weight in contrast.weights.items()})


def _against(arm: PlannedArm, baseline: PlannedArm) -> Contrast:
    return Contrast(
        name=f"{arm.name} vs {baseline.name}",
        weights={arm.name: 1.0, baseline.name: -1.0},
        factor="method",
        level=arm.arm.method,
    )


def confirm_trials(
    study: Study, arms: Sequence[PlannedArm], seeds: Sequence[int], catalogue: Catalogue
) -> Iterator[PlannedTrial]:
    """Yield the trials of the arms on confirm seeds, arm by arm."""
    for arm in arms:
        spec = catalogue.spec(study, arm.arm.method, arm.arm.values, arm.dataset, None)
        for seed in seeds:
            yield PlannedTrial(
                spec=replace(spec, seed=seed, seed_block=SeedBlock.CONFIRM),
                arm=arm.name,
                role=arm.arm.role,
                phase="confirm",
                factor=arm.arm.factor,
                level=arm.arm.level,
            )


WORDS = {"precision": PRECISIONS, "protocol": PROTOCOLS}
"""Fields of a study that `--set` takes as one of a few words."""


def with_settings(study: Study, settings: Sequence[str]) -> Study:
    """Return the study with `--set NAME=VALUE` applied: a field (dataset, seeds, epochs, ...), warm_start, or a knob.

    Raises:
        RequestError: a setting that is not NAME=VALUE, an unknown name, a value of the wrong kind.
    """
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator or not value:
            raise RequestError(f"--set {setting!r} is not NAME=VALUE")
        if name in ("dataset", "datasets"):
            study = replace(study, datasets=tuple(value.split("+")))
        elif name in WORDS:
            if value not in WORDS[name]:
                raise RequestError(f"--set {setting!r}: allowed are {', '.join(WORDS[name])}")
            study = replace(study, **{name: value})  # type: ignore[arg-type]
        elif name in ("seeds", "epochs", "n_epochs", "warm_start"):
            if not value.isdigit():
                raise RequestError(f"--set {setting!r}: {name} is a whole number")
            study = _with_number(study, name, int(value))
        else:
            study = _with_knob(study, name, value)
    return replace(study, settings=(*study.settings, *settings))


def _with_number(study: Study, name: str, number: int) -> Study:
    if name == "seeds":
        return replace(study, seeds_by_hand=number)
    if name != "warm_start":
        return replace(study, n_epochs=number)
    if not study.searches():
        raise RequestError(f"--set warm_start={number}: study {study.name} has no search")
    designs = [_warm(design, number) for design in study.designs]
    return replace(study, design=designs[0], rivals=tuple(designs[1:]))


def _warm(design: Any, most: int) -> Any:
    """Return a design whose search, if it has one, begins from up to `most` earlier configurations."""
    if isinstance(design, Around) and isinstance(design.first, Search):
        return replace(design, first=_warm(design.first, most))
    if not isinstance(design, Search):
        return design
    changed = replace(design, warm_start=most)
    changed.check()
    return changed


def _with_knob(study: Study, name: str, value: str) -> Study:
    method, _, knob = name.rpartition(".")
    designs = []
    hit = False
    for design in study.designs:
        if method in ("", design.method) and (changed := with_base(design, {knob: _parsed(value)})) is not None:
            designs.append(changed)
            hit = True
        else:
            designs.append(design)
    if not hit:
        allowed = "dataset, seeds, epochs, protocol, precision, warm_start and METHOD.KNOB of this study"
        raise RequestError(f"--set {name}={value}: allowed are {allowed}")
    return replace(study, design=designs[0], rivals=tuple(designs[1:]))


def _parsed(value: str) -> Value:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(value.lower(), value)
