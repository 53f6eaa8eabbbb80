"""Requests that public trackers tell of, tried here: each is refused in one line, or does what it says.

The number in a name is the report that made us try: `katib_2276` is issue 2276 of katib.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from orchestrator.cli import main
from orchestrator.ledger import Ledger

HEAD = """
import numpy as np
from orchestrator.designs.around import around
from orchestrator.designs.factorial import factorial
from orchestrator.designs.fixed import fixed
from orchestrator.designs.grid import grid
from orchestrator.designs.leave_one_out import leave_one_out
from orchestrator.designs.morris import morris
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.knobs import Choice, Float, Int
from orchestrator.study import Plateau, Study
B = dict(question="q", datasets=("digits:subset=300",), n_epochs=2, seeds=6, margin=.05, exploratory=True)
"""

Said = tuple[int, str, str]


class Stranger:
    """A folder of somebody's: study files, plugin files, results."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.results, self.plugin = folder / "results", folder

    def writes(self, place: str, text: str) -> Path:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def asks(self, study: str, name: str = "asked.py") -> Path:
        return self.writes(name, HEAD + textwrap.dedent(study))

    def says(self, *arguments: object) -> Said:
        """Run a command in this process; return its exit status and what it printed."""
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = self.capsys.readouterr()
        assert "Traceback" not in captured.err + captured.out
        return int(caught.value.code or 0), captured.out, captured.err

    def plans(self, study: Path, *options: object) -> dict[str, Any]:
        status, out, err = self.says("plan", study, "--json", "--results", self.results, *self._plugin(), *options)
        assert status == 0, err
        found: dict[str, Any] = json.loads(out)
        return found

    def runs(self, study: Path, *options: object) -> Said:
        fast = ("--address", "inline", "--no-report", "--results", self.results)
        return self.says("run", study, *fast, *self._plugin(), *options)

    def refused(self, study: Path, *options: object, command: str = "plan") -> str:
        """Return the one line in which a request is refused before anything is written."""
        before = self._files()
        status, out, err = self.says(command, study, "--results", self.results, *self._plugin(), *options)
        assert status == 2, (out, err)
        (line,) = err.strip().splitlines()
        assert self._files() == before
        return line

    def rows(self) -> pd.DataFrame:
        with Ledger(self.results) as ledger:
            return ledger.trials()

    def _plugin(self) -> tuple[object, ...]:
        there = any((self.plugin / kind).is_dir() for kind in ("methods", "metrics", "datasets"))
        return ("--plugin", self.plugin) if there else ()

    def _files(self) -> set[str]:
        return {str(path) for path in self.results.rglob("*")} if self.results.exists() else set()


@pytest.fixture
def stranger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Stranger:
    return Stranger(tmp_path, capsys)


# -- plan accepts what run cannot do --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("design", "says"),
    [
        (
            'search("entropy", {"view_strength": Float(0, 2, log=True)}, base={"view": "affine"})',
            "Float(0, 2, log=True) is not allowed; a logarithmic range begins above 0",
        ),
        ('search("entropy", {"lr": Float(1.0, 0.1)})', "Float(1.0, 0.1) is not allowed; low is above high"),
        ('search("kmeans", {"n_init": Float(1, 10)})', "the range of kmeans.n_init is a number from 1 to 10, but"),
        ('fixed("entropy", {"network": "mlp"})', "name = {'network': 'mlp'} is not allowed"),
        ('one_factor("kmeans", {"n_init": .1})', "factors['n_init'] = 0.1 is not allowed"),
        ("around(None, None)", "around: first = None is not allowed"),
    ],
)
def test_a_design_that_no_run_could_carry_out_is_refused_katib_2276(stranger: Stranger, design: str, says: str) -> None:
    assert says in stranger.refused(stranger.asks(f"STUDY = Study(**B, design={design})"))


@pytest.mark.parametrize(
    "field",
    [
        "seeds='x'",
        "alpha=None",
        "margin=[]",
        "datasets=-1",
        "margin=float('inf')",
        "beats_chance_by=float('inf')",
        "n_epochs=3.5",
        "design=None",
        "margin=5",
    ],
)
def test_a_field_of_a_study_is_refused_with_its_value(stranger: Stranger, field: str) -> None:
    study = f"STUDY = Study(**{{**B, 'design': one_factor('kmeans', {{'n_init': [1]}}), **dict({field})}})"
    line = stranger.refused(stranger.asks(study))
    assert field.partition("=")[0] in line


@pytest.mark.parametrize("size", ["seeds=10**12", "design=search('kmeans', ('n_init',), n_configurations=10**12)"])
def test_a_study_that_is_too_large_is_refused_at_once(stranger: Stranger, size: str) -> None:
    study = f"STUDY = Study(**{{**B, 'design': one_factor('kmeans', {{'n_init': [1]}}), **dict({size})}})"
    assert "is not allowed; it is a whole number from 1 to 100,000" in stranger.refused(stranger.asks(study))


def test_a_bool_of_numpy_is_a_bool_optuna_3540(stranger: Stranger) -> None:
    study = stranger.asks("STUDY = Study(**B, design=one_factor('kmeans', {'spherical': [np.bool_(True)]}))")
    assert [arm["name"] for arm in stranger.plans(study)["arms"]] == ["baseline", "spherical=True"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--set", "seed=3"), "unknown knob or setting 'seed'; the nearest: seeds"),
        (("--set", "n_inits=3"), "the nearest: n_init"),
        (("--tier", "papers"), "unknown tier of study asked 'papers'"),
    ],
)
def test_an_error_offers_what_works(stranger: Stranger, options: tuple[str, ...], says: str) -> None:
    study = stranger.asks("STUDY = Study(**B, design=one_factor('kmeans', {'spherical': [True]}))")
    assert says in stranger.refused(study, *options)


def test_a_rule_that_is_offered_works(stranger: Stranger) -> None:
    study = "STUDY = Study(**B, design=search('kmeans', ('n_init',), rule={rule!r}, n_configurations=1, n_seeds=1))"
    line = stranger.refused(stranger.asks(study.format(rule="luck")))
    for rule in line.partition("there are: ")[2].split(", "):
        assert stranger.plans(stranger.asks(study.format(rule=rule)))["trials"] == 1


def test_the_nearest_study_is_named_and_not_forty(stranger: Stranger) -> None:
    status, _, err = stranger.says("run", "quickstar")
    assert (status, err) == (2, "orchestrate: unknown study 'quickstar'; the nearest: quickstart\n")


def test_a_plan_says_what_a_search_has_still_to_choose(stranger: Stranger) -> None:
    plan = stranger.plans(Path("quickstart"))
    assert plan["arms"][0]["sets"] == "chosen by the search"
    assert plan["arms"][0]["chosen_by_search"] == ["fairness_weight", "norm_weight", "lr"]
    assert not [arm for arm in plan["arms"] if "71.46" in arm["sets"]]


# -- what cannot be asked -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", ["grid", "factorial"])
def test_cells_that_mean_the_same_are_trained_once_optuna_6212(stranger: Stranger, design: str) -> None:
    study = stranger.asks(
        f"STUDY = Study(**B, design={design}('entropy', {{'fairness': ['kl_u_y', 'none'], "
        "'fairness_weight': [10., 100.]}))"
    )
    plan = stranger.plans(study)
    assert [arm["also"] for arm in plan["arms"]] == [[], [], ["fairness=none, fairness_weight=100"]]
    assert any("since they mean the same" in sentence for sentence in plan["sentences"])
    assert stranger.runs(study)[0] == 0
    assert len(stranger.rows()) == 18


METHOD = """
    from dataclasses import dataclass
    import torch
    from orchestrator.knobs import Choice, Float, Int, ListOf, knob
    from trainables.method import InTurn, MethodConfig
    from trainables.scoring import score

    @dataclass(frozen=True, kw_only=True)
    class Config(MethodConfig):
        rate: float = knob(0.5, Float(0.0, 1.0, step=0.25))
        widths: tuple = knob((8,), ListOf(Int(1, 64), 1, 3))
        decay: object = knob(None, Float(0.0, 1.0, also=(None,)))
        nap: float = knob(0.0, Float(0.0, 60.0))

    class One:
        def __init__(self, config, seed, data, device):
            self.config, self.data, self.epoch = config, data, 0

        def fit_epoch(self):
            import time
            time.sleep(self.config.nap)
            self.epoch += 1

        def evaluate(self, last):
            labels = torch.arange(len(self.data.eval_labels))[None] % self.data.n_classes
            row = score(labels, self.data, self.data.n_classes, last)[0]
            late = 1.0 if last else float("nan")
            return row | {"metric.loss": 1.0 / min(self.epoch, 3), "metric.late": late, "diagnostic.odd": late}

        def state_dict(self):
            return {"epoch": torch.tensor(self.epoch)}

        def load_state_dict(self, state):
            self.epoch = int(state["epoch"])

    class METHOD(InTurn):
        Config, member = Config, One
"""


def test_a_metric_may_be_no_number_until_the_last_epoch_katib_1343(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    study = stranger.asks("STUDY = Study(**B, design=one_factor('own', {'rate': [0.25]}))")
    assert stranger.runs(study)[0] == 0
    rows = stranger.rows()
    assert set(rows["state"]) == {"complete"}
    assert set(rows["metric.late"]) == {1.0}


def test_steps_lists_and_none_are_values_optuna_3820_905(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    levels = "{'rate': [0.75], 'widths': [[8, 4], (16,)], 'decay': [0.5]}"
    study = stranger.asks(f"STUDY = Study(**B, design=one_factor('own', {levels}))")
    names = ["baseline", "rate=0.75", "widths=[8, 4]", "widths=[16]", "decay=0.5"]
    assert [arm["name"] for arm in stranger.plans(study)["arms"]] == names
    assert stranger.runs(study)[0] == 0
    assert stranger.plans(study)["missing"] == 0
    rows = stranger.rows()
    assert set(rows["knob.widths"]) == {"[8]", "[8,4]", "[16]"}
    assert "own.rate = 0.3 is outside its domain: a number from 0 to 1 in steps of 0.25" in stranger.refused(
        study, "--set", "rate=0.3"
    )
    assert stranger.plans(study, "--set", "own.widths=[3, 2]", "--set", "own.decay=null")["trials"] == 5 * 6


def test_a_trial_may_end_at_a_plateau_ray_38421(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    text = "STUDY = Study(**{{**B, 'n_epochs': 9}}, {stop} design=one_factor('own', {{'rate': [0.25]}}))"
    whole, early = (stranger.asks(text.format(stop=stop)) for stop in ("", "stop=Plateau(patience=2),"))
    assert stranger.runs(early)[0] == 0
    rows = stranger.rows()
    assert set(rows["state"]) == {"complete"}
    with Ledger(stranger.results) as ledger:
        assert ledger.epochs()["epoch"].max() == 5
    assert stranger.plans(early)["missing"] == 0
    stranger.asks(text.format(stop=""))
    assert stranger.plans(whole)["missing"] == 12
    for metric, says in (("nmi", "which reads labels"), ("nmmi", "unknown metric of the plateau")):
        asked = stranger.asks(text.format(stop=f"stop=Plateau(metric={metric!r}),"))
        assert says in stranger.refused(asked)


def test_a_trial_over_its_time_has_failed_and_is_no_other_trial_ray_47475(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    study = stranger.asks(
        "STUDY = Study(**B, failure_budget=1.0, design=one_factor('own', {'nap': [30.0]}, base={'decay': 0.5}))"
    )
    stranger.runs(study, "--trial-seconds", "0.3", "--set", "seeds=2")
    rows = stranger.rows()
    assert sorted(rows["state"]) == ["complete", "complete", "failed", "failed"]
    assert set(rows.loc[rows["state"] == "failed", "failure_kind"]) == {"time_limit"}
    assert stranger.plans(study, "--set", "seeds=2")["hits"] == 2


# -- identity -------------------------------------------------------------------------------------------------------


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
    assert (status, json.loads(out)["n_equal"]) == (0, 4)


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


def test_a_metric_that_no_method_gives_is_refused_before_anything_is_trained_nequip_213(stranger: Stranger) -> None:
    stranger.writes("methods/own.py", METHOD)
    text = "STUDY = Study(**{{**B, 'margin': 0.01}}, metric={metric!r}, design=one_factor({method!r}, {{{knob}}}))"
    wrong = stranger.asks(text.format(metric="nmmi", method="kmeans", knob="'n_init': [1]"))
    line = stranger.refused(wrong)
    assert "unknown metric of study asked 'nmmi'; the nearest: nmi" in line
    own = stranger.asks(text.format(metric="late", method="own", knob="'rate': [0.25]"))
    assert stranger.plans(own)["trials"] == 12
    assert "unknown metric" in stranger.refused(
        stranger.asks(text.format(metric="later", method="own", knob="'rate': [0.25]"))
    )


@pytest.mark.parametrize(
    ("design", "says"),
    [
        ("one_factor('kmeans', {'cluster_factor': [4.0]})", "40 clusters, allowed: at most the 30 points"),
        ("one_factor('entropy', {'network': ['cnn']})", "network cnn takes images"),
        ("search('entropy', ('lr',), sampler='nsga2', round_size=1, n_configurations=3, n_seeds=1)", "cannot be asked"),
    ],
)
def test_what_this_data_or_this_sampler_cannot_carry_is_refused_by_the_plan(
    stranger: Stranger, design: str, says: str
) -> None:
    data = "gaussians" if "cnn" in design else "digits:subset=30"
    study = stranger.asks(f"STUDY = Study(**{{**B, 'datasets': ({data!r},)}}, design={design})")
    assert says in stranger.refused(study)


def test_a_method_that_cannot_be_built_is_refused_by_the_plan_with_its_own_words(stranger: Stranger) -> None:
    broken = METHOD.replace("self.config, self.data, self.epoch = config, data, 0", "raise KeyError('no such head')")
    stranger.writes("methods/own.py", broken)
    study = stranger.asks("STUDY = Study(**B, design=one_factor('own', {'rate': [0.25]}))")
    assert "'baseline' on digits:subset=300 cannot be trained: KeyError: 'no such head'" in stranger.refused(study)


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("kind", ["search", "morris", "grid"])
def test_knobs_of_every_kind_are_designed_searched_and_reported(stranger: Stranger, kind: str) -> None:
    stranger.writes("methods/own.py", METHOD)
    over = "{'widths': Choice((8,), (64, 8)), 'rate': None, 'decay': Choice(None, 0.5), 'nap': Float(0.0, 1e-6)}"
    around = "one_factor('own', {'widths': [(4,), [2, 2]], 'decay': [0.25]})"
    designs = {
        "search": f"around(search('own', {over}, n_configurations=12, n_seeds=1, round_size=6), {around})",
        "morris": f"morris('own', {over}, n_trajectories=4)",
        "grid": "grid('own', {'widths': [(4,), (16, 4)], 'decay': [None, 0.1]})",
    }
    study = stranger.asks(f"STUDY = Study(**B, design={designs[kind]})")
    assert stranger.runs(study)[0] == 0
    status, out, err = stranger.says("report", "asked", "--results", stranger.results, "--no-notebook", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["heading"]
