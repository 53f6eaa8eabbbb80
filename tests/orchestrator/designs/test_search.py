"""Searches as data: the domains that they search, their options, and what is refused before a sampler is made."""

from __future__ import annotations

import pytest

from orchestrator import discovery
from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.knobs import Choice, Float, Int, Knob


def test_a_knob_is_searched_over_its_own_domain_or_a_narrower_one(space):
    found = search("entropy", {"lr": Float(0.05, 0.5, log=True), "loss": None, "every": Int(2, 4)}).domains(space)
    assert found == {"lr": Float(0.05, 0.5, log=True), "loss": Choice("reverse", "forward"), "every": Int(2, 4)}


def test_single_values_outside_a_range_are_not_searched():
    space = {"weight": Knob(0.0, Float(0.1, 1.0, also=(0.0,)))}
    assert search("m", ("weight",)).domains(space) == {"weight": Float(0.1, 1.0)}


def test_several_objectives_and_every_sampler_and_pruner_are_accepted():
    for sampler in discovery.names("sampler"):
        assert search("m", ("lr",), sampler=sampler).sampler == sampler
    for sampler in sorted({*discovery.names("sampler")} - {"cmaes"}):
        assert search("m", ("lr",), rule=("neighbour_mi", "silhouette"), sampler=sampler).rule == "neighbour_mi"
    for pruner in discovery.names("pruner"):
        assert search("m", ("lr",), pruner=pruner).pruner == pruner


def test_any_reported_number_is_searched_by_once_its_better_end_is_said():
    found = search("m", ("lr",), rule=("neighbour_mi", "elbo"), direction=("", "minimize"))
    assert [(one.metric, one.direction) for one in found.objectives] == [
        ("neighbour_mi", "maximize"),
        ("elbo", "minimize"),
    ]
    assert search("m", ("lr",), rule="loss", direction="minimize").objectives[0].sign == -1.0
    with pytest.raises(RequestError, match="any number that the method reports will do too, with direction="):
        search("m", ("lr",), rule="elbo")


@pytest.mark.parametrize(
    ("over", "options", "says"),
    [
        ((), {}, "is empty"),
        (("lr",), {"sampler": "magic"}, "unknown sampler 'magic'; there are: cmaes, gp, nsga2, qmc, random, tpe"),
        (("lr",), {"pruner": "magic"}, "unknown pruner 'magic'"),
        (("lr",), {"sampler": "nsga2", "pruner": "median"}, "cannot prune"),
        (("lr",), {"n_seeds": 0}, "n_seeds = 0"),
        (("lr",), {"n_configurations": 0}, "n_configurations = 0"),
        (("lr",), {"round_size": 0}, "round_size = 0"),
        (("lr",), {"rule": "loss"}, r"selection rule 'loss' is refused.*or say direction='minimize' if"),
        (("lr",), {"rule": "nmi"}, "selection rule 'nmi' reads labels; say so: 'oracle_nmi'"),
        (("lr",), {"rule": "luck"}, "unknown selection rule 'luck'"),
        (("lr",), {"rule": "between_seed_mi"}, "labelings of several seeds, which the ledger does not keep"),
        (("lr",), {"rule": ()}, r"search over entropy: rules = \(\) is not allowed; it is a selection rule"),
        (("lr",), {"rule": ("neighbour_mi", "silhouette"), "sampler": "cmaes"}, "takes at most 1 of 2 objectives"),
        (("lr",), {"speed": 1}, "unknown option of search 'speed'"),
    ],
)
def test_a_wrong_search_is_refused_in_one_line(over, options, says):
    with pytest.raises(RequestError, match=says):
        search("entropy", over, **options).check_kinds()


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ({"speed": None}, "unknown knob of entropy 'speed'"),
        ({"lr": Float(0.05, 5.0)}, "the range of entropy.lr ends at 5.0, outside its domain"),
        ({"loss": Choice("reverse", "sideways")}, "ends at 'sideways'"),
    ],
)
def test_a_range_outside_its_knobs_domain_is_refused(space, over, says):
    with pytest.raises(RequestError, match=says):
        search("entropy", over).domains(space)
