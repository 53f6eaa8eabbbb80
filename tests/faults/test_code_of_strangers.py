"""Methods and study files of somebody else, as public trackers tell of them: what is the same trial, what is not.

The number in a name is the report that made us try: `ray_5235` is issue 5235 of Ray.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from strangers import METHOD, Stranger

from orchestrator.ledger import Ledger


def test_levels_that_print_alike_are_one_trial_syftr_112(stranger: Stranger) -> None:
    text = "STUDY = Study(**B, design=one_factor('kmeans', {{'cluster_factor': {levels}}}))"
    assert stranger.runs(stranger.asks(text.format(levels="list(np.arange(1, 1.45, .1)[1:])")))[0] == 0
    assert stranger.plans(stranger.asks(text.format(levels="[1.1, 1.2, 1.3, 1.4]")))["hits"] == 30


def test_a_knob_that_came_later_leaves_earlier_trials_as_hits(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    study = stranger.asks("STUDY = Study(**B, design=one_factor('own', {'rate': [0.25]}))")
    assert stranger.runs(study)[0] == 0
    ids = set(stranger.rows()["trial_id"])
    added = "        bias: bool = knob(False, Choice(False, True), since=1)\n        nap:"
    stranger.writes("later/methods/own.py", METHOD.replace("        nap:", added))
    stranger.plugin = stranger.folder / "later"
    assert stranger.plans(study)["missing"] == 0
    both = stranger.asks("STUDY = Study(**B, design=one_factor('own', {'rate': [0.25], 'bias': [True]}))")
    assert (stranger.plans(both)["hits"], stranger.plans(both)["missing"]) == (12, 6)
    assert stranger.runs(both)[0] == 0
    assert ids < set(stranger.rows()["trial_id"])


DRAWING = """
    from dataclasses import dataclass
    import random
    import numpy as np
    import torch
    from sklearn.mixture import GaussianMixture
    from orchestrator.knobs import Float, knob
    from trainables.method import InTurn, MethodConfig
    from trainables.scoring import score
    {head}

    @dataclass(frozen=True, kw_only=True)
    class Config(MethodConfig):
        scale: float = knob(1.0, Float(0.0, 9.0), fuses=True)

    class One:
        def __init__(self, config, seed, data, device):
            self.config, self.data = config, data
            self.fitted = GaussianMixture(data.n_classes, random_state=seed, max_iter=2, covariance_type="diag")
            self.weight = torch.randn(3) * config.scale

        def fit_epoch(self):
            self.weight = self.weight + torch.randn(3) + np.random.normal() + random.random()
            self.labels = self.fitted.fit(self.data.vectors.float().numpy()).predict(self.data.vectors.float().numpy())

        def evaluate(self, last):
            row = score(torch.from_numpy(self.labels)[None].long(), self.data, self.data.n_classes, last)[0]
            return row | {{"metric.loss": float(self.weight.sum())}}

        def state_dict(self):
            return {{"weight": self.weight}}

        def load_state_dict(self, state):
            self.weight = state["weight"]

    class METHOD(InTurn):
        Config, member = Config, One
        max_members = classmethod(lambda cls, config, data: 4)
"""


def test_global_draws_and_any_librarys_seed_give_the_same_numbers_again_lightning_1565_numpy_17079(
    stranger: Stranger,
) -> None:
    stranger.writes("methods/drawing.py", DRAWING.format(head=""))
    study = stranger.asks("STUDY = Study(**B, design=one_factor('drawing', {'scale': [2.0]}))")
    assert stranger.runs(study)[0] == 0
    status, out, _ = stranger.says(
        "verify", study, "--json", "--results", stranger.results, "--plugin", stranger.folder, "--sample", "4"
    )
    assert (status, json.loads(out)["n_equal"]) == (0, 4), out


def test_a_setting_of_a_plugin_reaches_no_rival_and_is_named_ray_32698(stranger: Stranger) -> None:
    head = "torch.set_default_dtype(torch.float64); np.seterr(divide='raise')"
    stranger.writes("methods/drawing.py", DRAWING.format(head=head))
    study = stranger.asks(
        "STUDY = Study(**B, design=fixed('drawing'), rivals=(one_factor('entropy', {'loss': ['forward']}),))"
    )
    status, out, err = stranger.runs(study)
    assert (status, set(stranger.rows()["state"])) == (0, {"complete"}), err
    said = " ".join((out + err).split())
    assert "method 'drawing' sets numpy.seterr divide = raise, torch.default_dtype = torch.float64" in said


def test_two_files_of_one_name_never_take_each_others_record_ray_35812(stranger: Stranger) -> None:
    text = "STUDY = Study(**B, design=one_factor('kmeans', {{'n_init': [{n}]}}))"
    first, other = (stranger.asks(text.format(n=n), f"{folder}/ablation.py") for n, folder in ((1, "A"), (2, "B")))
    assert stranger.runs(first)[0] == 0
    for command in ("plan", "run"):
        line = stranger.refused(other, command=command)
        assert f"is that of {str(first)!r}, another file of this name" in line
    with Ledger(stranger.results) as ledger:
        record, _ = ledger.studies.read("ablation")
    assert record["source"]["path"] == "../A/ablation.py"
    assert len(record["source"]["digest"]) == 20
    moved = stranger.writes("C/ablation.py", first.read_text())
    assert stranger.runs(moved)[0] == 0
    assert stranger.plans(stranger.asks(text.format(n=3), "A/ablation.py"))["missing"] == 6


HELPED = """
    from dataclasses import dataclass
    from lab.heads import SCALE
    from beside_the_method import SHIFT
    import torch
    from orchestrator.knobs import Float, knob
    from trainables.method import InTurn, MethodConfig
    from trainables.scoring import score

    @dataclass(frozen=True, kw_only=True)
    class Config(MethodConfig):
        rate: float = knob(1.0, Float(0.0, 9.0), fuses=True)

    class One:
        def __init__(self, config, seed, data, device):
            self.config, self.data = config, data

        def fit_epoch(self):
            self.loss = SCALE * self.config.rate + SHIFT

        def evaluate(self, last):
            labels = torch.arange(len(self.data.eval_labels))[None] % self.data.n_classes
            return score(labels, self.data, self.data.n_classes, last)[0] | {"metric.loss": self.loss}

        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            pass

    class METHOD(InTurn):
        Config, member = Config, One
"""


def test_a_plan_says_which_hits_are_of_other_code_helpers_1257(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    study = stranger.asks("STUDY = Study(**B, design=one_factor('own', {'rate': [0.25]}))")
    assert stranger.runs(study)[0] == 0
    assert not [sentence for sentence in stranger.plans(study)["sentences"] if "other code" in sentence]
    stranger.writes("later/methods/own.py", METHOD + "\n    HELP = 1\n")
    stranger.plugin = stranger.folder / "later"
    plan = stranger.plans(study)
    assert plan["hits"] == 12
    assert any(sentence.startswith("12 of those of own were trained by other code") for sentence in plan["sentences"])


@pytest.mark.slow
@pytest.mark.sample
def test_helpers_of_a_method_reach_workers_and_an_edit_of_one_is_seen_ray_5235_helpers_1257(stranger: Stranger) -> None:
    stranger.writes("mine/methods/helped.py", HELPED)
    stranger.writes("mine/methods/beside_the_method.py", "SHIFT = 1.0\n")
    stranger.writes("mine/lab/__init__.py", "")
    stranger.writes("mine/lab/heads.py", "SCALE = 2.0\n")
    study = stranger.asks("STUDY = Study(**B, design=one_factor('helped', {'rate': [2.0]}))")

    def command(*arguments: object) -> str:
        options = ("--results", stranger.results, "--plugin", stranger.folder / "mine")
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", *map(str, [*arguments, *options])],
            capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    command("run", study, "--no-report", "--max-concurrent", "1")
    assert set(stranger.rows()["metric.loss"]) == {3.0, 5.0}
    assert "Nothing is left to do" in command("run", study, "--no-report")
    stranger.writes("mine/lab/heads.py", "SCALE = 7.0\n")
    command("run", study, "--no-report", "--only-current", "--address", "inline")
    assert set(stranger.rows()["metric.loss"]) == {8.0, 15.0}


def test_a_method_that_cannot_be_built_is_refused_by_the_plan_with_its_own_words(stranger: Stranger) -> None:
    broken = METHOD.replace("self.config, self.data, self.epoch = config, data, 0", "raise KeyError('no such head')")
    stranger.writes("methods/own.py", broken)
    study = stranger.asks("STUDY = Study(**B, design=one_factor('own', {'rate': [0.25]}))")
    assert "'baseline' on digits:subset=300 cannot be trained: KeyError: 'no such head'" in stranger.refused(study)
