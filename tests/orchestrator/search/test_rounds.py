"""Searches in rounds: they replay to the same choice, learn, and survive NaN, failure and collapse."""

import json
import math

import numpy as np
import pytest
from scipy.stats import qmc

from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.inference.selection import choose_configuration, objective_metric
from orchestrator.knobs import Choice, Float, Int, Knob, ListOf, canonical
from orchestrator.search.phase import mean
from orchestrator.search.rounds import SearchRounds, Told
from orchestrator.trial import canonical_json

SPACE = {
    "rate": Knob(1.0, Float(0.1, 10.0, log=True), fuses=True),
    "heads": Knob(3, Int(1, 9)),
    "loss": Knob("reverse", Choice("reverse", "renyi")),
    "order": Knob(1.0, Float(0.1, 5.0), when={"loss": ("renyi",)}),
}


def value(proposal):
    return -abs(math.log(proposal.values["rate"] / 2.0)) - 0.1 * abs(proposal.values["heads"] - 5)


def run(rounds, *, reverse=False):
    while not rounds.exhausted:
        asked = rounds.ask()
        told = [Told(number=p.number, state="complete", objectives=(value(p),)) for p in asked]
        rounds.tell(list(reversed(told)) if reverse else told)
    return rounds


def made(**options):
    design = search("m", ("rate", "heads", "loss", "order"), n_configurations=24, round_size=8, **options)
    return SearchRounds(design, SPACE, "salt")


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "nsga2", "cmaes"])
def test_the_same_answers_lead_to_the_same_asks_in_whichever_order_trials_ended(sampler):
    one, other = run(made(sampler=sampler)), run(made(sampler=sampler), reverse=True)
    assert [p.values for p in one.proposals.values()] == [p.values for p in other.proposals.values()]
    assert one.best() == other.best()


def test_a_gaussian_process_replays_and_learns():
    def searched(n):
        return run(SearchRounds(search("m", ("rate",), n_configurations=n, round_size=3, sampler="gp"), SPACE, "salt"))

    one, other = searched(4), searched(4)
    assert [p.values for p in one.proposals.values()] == [p.values for p in other.proposals.values()]
    assert one.best() == other.best()
    assert one.proposals[3].values["rate"] not in {one.proposals[number].values["rate"] for number in range(3)}


def test_another_dataset_is_searched_with_other_draws():
    design = search("m", ("rate",), n_configurations=4, round_size=4)
    first = [p.values for p in SearchRounds(design, SPACE, "a").ask()]
    assert first != [p.values for p in SearchRounds(design, SPACE, "b").ask()]


def test_a_knob_without_effect_is_not_searched():
    rounds = run(made())
    for proposal in rounds.proposals.values():
        assert proposal.values["loss"] == "renyi" or proposal.values["order"] == 1.0


def test_the_order_in_which_knobs_are_named_does_not_hide_a_conditional_one():
    design = search("m", ("order", "loss"), n_configurations=16, round_size=16, sampler="random")
    asked = SearchRounds(design, SPACE, "salt").ask()
    orders = [p.values["order"] for p in asked if p.values["loss"] == "renyi"]
    assert len(set(orders)) == len(orders) > 2
    assert {p.values["order"] for p in asked if p.values["loss"] == "reverse"} == {1.0}


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
def test_several_objectives_are_told_and_the_first_chooses(sampler):
    rounds = made(sampler=sampler, rule=("neighbour_mi", "silhouette"))
    while not rounds.exhausted:
        rounds.tell(
            [
                Told(number=p.number, state="complete", objectives=(value(p), -value(p)), feasible=p.number % 5 > 0)
                for p in rounds.ask()
            ]
        )
    able = [p for p in rounds.proposals.values() if p.number % 5]
    assert rounds.best() == max(able, key=value)
    assert len(rounds.study.best_trials) > 1


def test_the_choice_is_that_of_the_rule_on_the_table_of_search_seeds():
    random = np.random.default_rng(0)
    for _ in range(40):
        values = np.round(random.normal(size=(8, 3)), 1)  # ties happen
        values[random.random(values.shape) < 0.05] = np.nan
        collapsed = random.random(values.shape) < 0.08
        rounds = SearchRounds(search("m", ("rate",), n_configurations=8, round_size=8, sampler="random"), SPACE, "")
        asked = rounds.ask()
        rounds.tell(
            [
                Told(number=p.number, state="complete", objectives=(mean(row),), feasible=not gone.any())
                for p, row, gone in zip(asked, values.tolist(), collapsed, strict=True)
            ]
        )
        best, chosen = rounds.best(), choose_configuration({"neighbour_mi": values}, collapsed).chosen
        assert (None if best is None else best.number) == chosen


def test_the_best_is_feasible_and_complete():
    rounds = made()
    asked = rounds.ask()
    told = [Told(number=p.number, state="complete", objectives=(float(p.number),)) for p in asked]
    told[-1] = Told(number=asked[-1].number, state="complete", objectives=(99.0,), feasible=False)
    told[-2] = Told(number=asked[-2].number, state="failed")
    told[-3] = Told(number=asked[-3].number, state="complete", objectives=(math.nan,))
    rounds.tell(told)
    assert rounds.best() == asked[-4]
    assert len(rounds.ask()) == 8  # and the search goes on


@pytest.mark.parametrize("sampler", ["tpe", pytest.param("gp", marks=pytest.mark.slow)])
def test_constrained_samplers_keep_away_from_where_configurations_collapse(sampler):
    def share_of_high_rates(*, told):
        rounds = SearchRounds(search("m", ("rate",), n_configurations=12, round_size=6, sampler=sampler), SPACE, "salt")
        while not rounds.exhausted:
            rounds.tell(
                [
                    Told(
                        number=p.number,
                        state="complete",
                        objectives=(p.values["rate"],),  # the better the higher, were it not for the collapse
                        feasible=p.values["rate"] < 1.0 or not told,
                    )
                    for p in rounds.ask()
                ]
            )
        late = [p.values["rate"] for p in rounds.proposals.values() if p.number >= 6]
        assert rounds.best().values["rate"] < 1.0 or not told
        return sum(rate >= 1.0 for rate in late) / len(late)

    assert share_of_high_rates(told=True) < share_of_high_rates(told=False)


def test_a_search_where_everything_collapsed_has_no_best():
    rounds = made()
    rounds.tell([Told(number=p.number, state="complete", objectives=(1.0,), feasible=False) for p in rounds.ask()])
    assert rounds.best() is None


def test_a_training_loss_is_no_selection_rule():
    with pytest.raises(RequestError, match="'loss' is refused"):
        objective_metric("loss")


def test_a_range_outside_the_knobs_domain_is_refused():
    with pytest.raises(RequestError, match=r"m\.rate ends at 20\.0, outside its domain"):
        SearchRounds(search("m", {"rate": Float(0.5, 20.0)}), SPACE, "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sampler": "magic"}, "unknown sampler 'magic'"),
        ({"pruner": "axe"}, "unknown pruner 'axe'"),
        ({"round_size": 0}, "round_size = 0"),
        ({"rounds_ahead": -1}, "rounds_ahead = -1"),
        ({"n_configurations": 0}, "n_configurations = 0"),
        ({"speed": 3}, "unknown option of search 'speed'"),
    ],
)
def test_a_wrong_search_is_refused_in_one_line(options, says):
    with pytest.raises(RequestError) as caught:
        search("m", ("rate",), **options).check_kinds()
    assert says in str(caught.value)


@pytest.mark.parametrize("pruner", ["halving", "hyperband", "median"])
def test_pruners_judge_epochs_by_the_first_of_several_objectives_and_the_search_replays(pruner):
    def searched():
        rounds = made(rule=("neighbour_mi", "silhouette"), pruner=pruner)
        pruned = set()
        while not rounds.exhausted:
            told = []
            for proposal in rounds.ask():
                curve = {}
                for epoch in range(1, 10):
                    curve[epoch] = value(proposal) * epoch / 9
                    if rounds.should_prune(proposal.number, epoch, curve[epoch]):
                        pruned.add(proposal.number)
                        break
                state = "pruned" if proposal.number in pruned else "complete"
                objectives = (value(proposal), 0.5) if state == "complete" else None
                told.append(Told(number=proposal.number, state=state, objectives=objectives, curve=curve))
            rounds.tell(told)
        return rounds, pruned

    (one, pruned), (other, again) = searched(), searched()
    assert 0 < len(pruned) < 24
    assert pruned == again
    assert [p.values for p in one.proposals.values()] == [p.values for p in other.proposals.values()]
    assert one.best().number not in pruned
    assert len(one.study.directions) == 2


def test_a_quasi_random_search_is_one_sequence_over_all_knobs_and_rounds():
    rounds = run(made(sampler="qmc"))
    points = qmc.Sobol(4, seed=rounds.seed, scramble=True).random(23)
    asked = [rounds.proposals[number].values for number in range(1, 24)]  # Optuna draws the first one by itself
    rates = [(math.log10(values["rate"]) + 1) / 2 for values in asked]
    (place,) = (place for place in range(4) if np.allclose(points[:, place], rates, atol=1e-9))
    orders = [(values["order"] - 0.1) / 4.9 if values["loss"] == "renyi" else math.nan for values in asked]
    there = np.isfinite(orders)
    assert 6 < there.sum() < 17
    others = [points[there, other] for other in range(4) if other != place]
    assert sum(np.allclose(other, np.array(orders)[there], atol=1e-9) for other in others) == 1
    assert len({tuple(proposal.values.items()) for proposal in rounds.proposals.values()}) == 24


KINDS = {
    "widths": Knob((8,), ListOf(Int(1, 64), 1, 3)),
    "size": Knob("small", Choice("small", "medium", "large", ordered=True)),
    "decay": Knob(None, Float(0.0, 1.0, also=(None,))),
    "share": Knob(0.5, Float(0.0, 1.0, step=0.25)),
}
OVER = {"widths": Choice((8,), (64, 8)), "size": None, "decay": Choice(None, 0.5), "share": None}


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "nsga2", "cmaes", "gp"])
def test_lists_none_steps_and_ordered_choices_are_searched(sampler):
    rounds = SearchRounds(search("m", OVER, n_configurations=16, round_size=8, sampler=sampler), KINDS, "salt")
    while not rounds.exhausted:
        asked = rounds.ask()
        told = [p.values["share"] + len(p.values["widths"]) + (p.values["decay"] is None) for p in asked]
        rounds.tell(
            [Told(number=p.number, state="complete", objectives=(v,)) for p, v in zip(asked, told, strict=True)]
        )
    found = [proposal.values for proposal in rounds.proposals.values()]
    assert {values["widths"] for values in found} == {(8,), (64, 8)}
    assert {values["size"] for values in found} == {"small", "medium", "large"}
    assert {values["decay"] for values in found} == {None, 0.5}
    assert {values["share"] for values in found} <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert canonical(KINDS, rounds.best().values) == rounds.best().values


def test_an_earlier_configuration_of_any_kind_of_knob_can_be_begun_from():
    rounds = SearchRounds(search("m", OVER, n_configurations=2, round_size=2, warm_start=3), KINDS, "salt")
    row = json.loads(canonical_json({"widths": (64, 8), "size": "large", "decay": None, "share": 0.75}))
    values = rounds.fitting(row)
    assert values == {"widths": (64, 8), "size": "large", "decay": None, "share": 0.75}
    assert [proposal.values for proposal in rounds.begin_from([values])] == [values]
    assert rounds.fitting({**row, "widths": [63, 8]}) is None
    assert rounds.fitting({**row, "share": 7}) is None
