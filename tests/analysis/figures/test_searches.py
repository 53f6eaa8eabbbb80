from __future__ import annotations

from analysis.figures import searches
from analysis.tables.search_table import search_table


def test_a_search_is_drawn_with_the_choice_and_its_crosses(parts):
    study = parts[0]
    table = search_table(study, study.record["searches"][0])
    assert table["chosen"].sum() == 1 and table.loc[table["chosen"], "objective"].item() == table["objective"].max()
    (drawn,) = searches.figures_of_searches(study)
    assert len(drawn.figure.panels) == 3


def test_a_search_says_from_how_many_earlier_configurations_it_began(parts):
    study = parts[0]
    search = study.record["searches"][0]
    cold = searches.history(study, search)
    history = [{**entry, **({"warm_start": True} if entry["number"] < 2 else {})} for entry in search["history"]]
    warm = searches.history(study, {**search, "history": history})
    assert "It began from 2 earlier configurations of the ledger, marked *." in warm["sentence"]
    assert "It began" not in cold["sentence"]
    assert "*" not in cold["table"]


def test_the_pareto_set_of_several_objectives_is_listed(parts):
    study = parts[0]
    search = study.record["searches"][0]
    objectives = {0: [0.5, 0.1], 1: [0.4, 0.4], 2: [0.4, 0.3], 3: [0.1, 0.5], 4: [0.9, 0.9], 5: [0.5, 0.1]}
    history = [
        {**search["history"][number], "state": "complete", "feasible": number != 4, "objective": values}
        for number, values in objectives.items()
    ]
    several = {**search, "rules": ["neighbour_mi", "silhouette"], "history": history, "chosen_number": 0}
    assert [entry["number"] for entry in searches.pareto(several)] == [0, 1, 3, 5]
    found = searches.history(study, several)["pareto"]
    assert found.count("<tr") == 1 + 4
    assert searches.history(study, search)["pareto"] == ""
    assert searches.pareto({**several, "history": []}) == []


def test_options_of_a_knob_stand_in_the_order_in_which_the_search_names_them(parts):
    study = parts[0]
    search = study.record["searches"][0]
    widths = ["[64]", "[64, 32]", "[128, 64, 32]"]
    knob, *_ = search["space"]
    values = [{**entry["values"], knob: widths[entry["number"] % 3]} for entry in search["history"]]
    history = [{**entry, "values": own} for entry, own in zip(search["history"], values, strict=True)]
    space = {**search["space"], knob: {"kind": "choice", "options": widths}}
    changed = {**search, "history": history, "space": space, "chosen": None}
    drawn = searches.knobs_figure(changed, search_table(study, changed), "search")
    assert [name for _, name in drawn.figure.panels[1].x.ticks] == widths
    steps = {"kind": "float", "low": 0.0, "high": 1.0, "log": False, "step": 0.25}
    assert f"{knob}: 0 to 1 in steps of 0.25" in searches.history(study, {**search, "space": {knob: steps}})["note"]
