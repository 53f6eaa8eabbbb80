"""A search opens in Optuna's own tools: the journal holds what was recorded."""

import optuna
import pytest

from orchestrator.designs.search import search
from orchestrator.knobs import Choice, Float, Knob
from orchestrator.search.journal import journal_of
from orchestrator.search.rounds import SearchRounds, Told

SPACE = {"rate": Knob(1.0, Float(0.1, 10.0, log=True)), "loss": Knob("a", Choice("a", "b"))}


@pytest.mark.parametrize("rules", [("neighbour_mi",), ("neighbour_mi", "silhouette")])
def test_optuna_loads_the_journal_and_its_trials_are_the_recorded_history(tmp_path, rules):
    rounds = SearchRounds(search("m", ("rate", "loss"), n_configurations=6, round_size=3, rule=rules), SPACE, "salt")
    rounds.tell(
        [Told(number=p.number, state="complete", objectives=tuple(range(len(rules)))) for p in rounds.ask()[:2]]
        + [Told(number=2, state="pruned", curve={1: 0.5})]
    )
    rounds.ask()  # under way: no part of the record
    path = tmp_path / "optuna.journal"
    path.write_bytes(journal_of({"m @ digits": rounds, "m @ mnist_5k": SearchRounds(rounds.search, SPACE, "other")}))
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    assert sorted(optuna.get_all_study_names(storage)) == ["m @ digits", "m @ mnist_5k"]
    loaded = optuna.load_study(study_name="m @ digits", storage=storage)
    assert loaded.metric_names == list(rules)
    assert [trial.params for trial in loaded.trials] == [
        {name: rounds.proposals[number].values[name] for name in ("rate", "loss")} for number in range(3)
    ]
    assert [trial.state.name for trial in loaded.trials] == ["COMPLETE", "COMPLETE", "PRUNED"]
    assert [trial.values for trial in loaded.trials[:2]] == [[float(i) for i in range(len(rules))]] * 2
