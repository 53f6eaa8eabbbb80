"""What is kept is priced in disk, or it is said that nobody knows yet; `tests/orchestrator/run` compares with files."""

from orchestrator.designs.one_factor import one_factor
from orchestrator.knobs import Int, knob
from orchestrator.ledger import Ledger
from orchestrator.own import command
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.price.demand import demand
from orchestrator.price.disk import disk_of
from orchestrator.study import Study


def said(tmp_path, **changes):
    fields = {"question": "?", "name": "kept", "seeds": 2, "n_epochs": 1, "exploratory": True, "keep": "confirm"}
    plan = plan_of(Study(**{**fields, **changes}), Catalogue())
    with Ledger(tmp_path) as ledger:
        return disk_of(demand(plan, ledger), ledger)


def test_nothing_is_said_where_nothing_is_kept(tmp_path):
    design = one_factor("entropy", {"fairness_weight": [10.0]})
    assert said(tmp_path, design=design, datasets=("digits:subset=120",), keep="") == {}


def test_more_trials_take_more(tmp_path):
    design = one_factor("entropy", {"fairness_weight": [10.0]})
    two, four = (said(tmp_path, design=design, datasets=("digits:subset=120",), seeds=seeds) for seeds in (2, 4))
    assert four["bytes"] == 2 * two["bytes"] > 0
    assert two["sentence"].startswith("Weights, assignments and embeddings of 4 trials are kept, 0 of them here; ")
    assert two["sentence"].endswith("MB of disk.")


def test_of_a_command_nobody_knows(tmp_path):
    mine = command("true {lr}", knobs={"lr": knob(1, Int(1, 5))}, seed="", name="mine")
    disk = said(tmp_path, design=one_factor(mine, {"lr": [2]}), metric="loss", n_epochs=None)
    assert disk["bytes"] is None
    assert "is known once one is trained" in disk["sentence"]
