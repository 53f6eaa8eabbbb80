"""What is refused before anything starts: methods, knobs, levels, datasets and arms that do not hold together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from orchestrator import discovery
from orchestrator.dataset_name import forget, loaded_as
from orchestrator.designs.search import Search
from orchestrator.errors import RequestError, UnknownNameError, shown
from orchestrator.knobs import canonical
from orchestrator.metric import Cost, Metric
from orchestrator.own.declared import OWN_DATA, Declared, declaration_of
from orchestrator.plan.arms import PlannedArm, PlannedContrast
from orchestrator.plan.catalogue import Catalogue
from orchestrator.study import Study
from orchestrator.study.settings import check_settings

__all__ = ["check_arms", "check_searches", "check_study", "require_margin", "require_precision"]

COMPUTED = "neighbour_mi"
"""The rule of a search that says none: computed here, of points that a method was given."""


def check_study(study: Study, catalogue: Catalogue) -> None:
    """Refuse a study that names what is not there, before its arms are made.

    Raises:
        UnknownNameError: no such method, dataset or knob.
        RequestError: one line that names the value and what is allowed.
    """
    catalogue.spaces(study.methods)  # from now on their plain names are known too
    check_settings(study, catalogue.space)
    check_own(study, catalogue)
    require_precision(study, catalogue)
    require_metric(study)
    require_label_free_stop(study)
    for reference in study.datasets:
        if reference != OWN_DATA:
            discovery.require("dataset", discovery.dataset_file(reference), catalogue.plugins)
    _refuse_false_names(study, catalogue)
    check_searches(study, catalogue)


def _refuse_false_names(study: Study, catalogue: Catalogue) -> None:
    """Refuse a file that is called what another dataset is: in rows and beside published numbers it would be that one.

    Raises:
        RequestError: names the dataset and what to write.
    """
    known = discovery.names("dataset", catalogue.plugins)
    for reference in study.datasets:
        called = reference.partition(":")[0]
        if called in known and called != discovery.dataset_file(reference):
            source = loaded_as(reference)
            forget(reference)
            raise RequestError(
                f"dataset {shown(source)} would be called {called!r}, as another dataset is; give it a "
                f"name of its own: name=my_{called}"
            )


def check_own(study: Study, catalogue: Catalogue) -> None:
    """Refuse declared methods that get what they cannot take: data, epochs, a name that another method has.

    Raises:
        RequestError: one line that names the method and what to write.
    """
    for method in study.methods:
        own = catalogue.method(method).own
        if (own is None or own.takes_data) and OWN_DATA in study.datasets:
            raise RequestError(
                f"study {study.name}: {method} clusters the study's data, and datasets names none; say "
                "datasets=('digits',) or the like"
            )
        if own is not None:
            _check_declared(study, own)


def _check_declared(study: Study, own: Declared) -> None:
    who = f"study {study.name}: method {own.name}"
    if own.name in discovery.names("method"):
        raise RequestError(f"{who}: the project has a method of this name; give yours another: name='my_{own.name}'")
    others = [declaration_of(design.method) for design in study.designs if design.method == own.name]
    if any(other is not None and other.identity != own.identity for other in others):
        raise RequestError(f"{who} is declared twice, and not alike; give one of them another name")
    if study.n_epochs not in (None, own.n_epochs) and not own.takes_epochs:
        raise RequestError(
            f"{who} cannot be told to train {study.n_epochs} epochs; put {{n_epochs}} into its line, or leave out "
            "n_epochs"
        )
    for search in study.searches():
        if search.method == own.name and not own.takes_data and COMPUTED in {*search.metrics} - {*own.metrics}:
            raise RequestError(
                f"{who} brings its own data, of which nobody computes {COMPUTED}, by which its search would choose; "
                "say rule='oracle_nmi' if it reports that, or any number that it reports: rule='loss', "
                f"direction='minimize'; if it reports {COMPUTED} itself: metrics={{'{COMPUTED}': {{}}}}"
            )
    if len(study.datasets) > 1 and not own.takes_dataset:
        raise RequestError(
            f"{who} is not told which of the datasets it shall cluster; put {{dataset}} or {{data}} into its line"
        )


def check_searches(study: Study, catalogue: Catalogue) -> None:
    """Refuse searches over unknown knobs, over knobs that are set besides, or over ranges outside a knob's domain.

    Raises:
        UnknownNameError: no such knob, sampler or pruner.
        RequestError: one line that names the value and what is allowed.
    """
    for search in study.searches():
        space = catalogue.space(search.method)
        for name in search.base:
            if name in search.over:
                raise RequestError(f"{search.method}.{name} = {search.base[name]!r} is both set and searched")
        canonical(space, search.base, search.method)
        search.domains(space)
        search.check_kinds(catalogue.plugins)
        _refuse_blind_pruner(search)


def _refuse_blind_pruner(search: Search) -> None:
    """Refuse a pruner that goes by what is known when training is over: it would never prune.

    Raises:
        RequestError: names the pruner and what it would look at.
    """
    watched = discovery.metrics().get(search.metrics[0])
    if search.pruner != "none" and watched is not None and watched.cost is Cost.LAST:
        raise RequestError(
            f"pruner {search.pruner!r} looks at {search.metrics[0]!r}, which is measured at the last epoch only; "
            "allowed: pruner 'none', or a rule by a metric of every evaluation first (neighbour_mi)"
        )


def check_arms(
    study: Study, arms: Sequence[PlannedArm], contrasts: Sequence[PlannedContrast], catalogue: Catalogue
) -> None:
    """Refuse arms that share a name, or that mean the same configuration and are compared, and a missing margin.

    Raises:
        RequestError: names the arms, or says what to write.
    """
    counts = Counter(arm.name for arm in arms)
    name, count = counts.most_common(1)[0] if counts else ("", 0)
    if count > 1:
        raise RequestError(f"study {study.name}: two arms are called {name!r}; give a rival a name of its own")
    _refuse_twins(study, arms, contrasts, catalogue)
    require_margin(study, len(contrasts))


def require_precision(study: Study, catalogue: Catalogue) -> None:
    """Refuse a precision that would change no trial of a study.

    Raises:
        RequestError: says what its methods have.
    """
    has = set().union(*(catalogue.method(method).precisions for method in study.methods))
    if study.precision not in has:
        raise RequestError(
            f"study {study.name}: precision {study.precision!r}: {', '.join(study.methods)} "
            f"know{'s' * (len(study.methods) == 1)} {', '.join(sorted(has))} only"
        )


def _refuse_twins(
    study: Study, arms: Sequence[PlannedArm], contrasts: Sequence[PlannedContrast], catalogue: Catalogue
) -> None:
    """Refuse a difference between two arms that mean the same configuration: they would be the same trials.

    What two searches choose may well be the same, and that is an answer: their arms are left out here.

    Raises:
        RequestError: names both arms.
    """
    means = {}
    for planned in arms:
        design, arm = study.designs[planned.design], planned.arm
        if design.search is None and not design.starts_from:
            means[planned.name] = (arm.method, canonical(catalogue.space(arm.method), arm.values, arm.method))
    for one in contrasts:
        first, *others = one.contrast.weights
        if len(others) == 1 and first in means and means[first] == means.get(others[0]):
            raise RequestError(f"study {study.name}: arms {first!r} and {others[0]!r} are the same configuration")


def require_metric(study: Study) -> None:
    """Refuse a margin that no difference of the study's metric can reach.

    Raises:
        RequestError: says what the metric's unit is.
    """
    metric = discovery.metric(study.metric)
    for name, value in (("margin", study.margin), ("beats_chance_by", study.beats_chance_by)):
        if metric.percent and value is not None and value >= 1:
            raise RequestError(
                f"study {study.name}: {name} = {value:g}; {study.metric} lies within 0 and 1, so it is below 1 "
                "(0.02 is two points)"
            )


def require_label_free_stop(study: Study) -> None:
    """Refuse a rule for stopping by a metric that reads labels, or of which nobody knows which end is better.

    Raises:
        UnknownNameError: there is no such metric.
        RequestError: the metric may not steer.
    """
    if study.stop is None:
        return
    name, known = study.stop.metric, discovery.metrics()
    fit = [other for other, metric in known.items() if not _unfit_to_stop(metric)]
    if name not in known:
        raise UnknownNameError(f"metric of the plateau of study {study.name}", name, fit)
    if why := _unfit_to_stop(known[name]):
        raise RequestError(f"study {study.name}: stop by {name!r}, which {why}; there are: {', '.join(sorted(fit))}")


def _unfit_to_stop(metric: Metric) -> str:
    """Return why no trial may end by a metric; empty: it may."""
    if metric.reads_labels:
        return "reads labels"
    if metric.larger_is_better is None:
        return "has no better end"
    return "is measured at the last epoch only" if metric.cost is Cost.LAST else ""


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
