"""`InTurn`: a member written as a plain script, with global draws and a seed that every library takes."""

import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from orchestrator.knobs import Choice, Float, knob
from orchestrator.plateau import Plateau, StopRule
from orchestrator.row_table import from_stream
from orchestrator.trial import Bundle, BundleTask, Limits, TrialSpec, TrialState
from trainables.data.dataset import Dataset
from trainables.method import FusedMethod, InTurn, Method, MethodConfig, chosen, fused_knobs
from trainables.randomness import stream_seed
from trainables.training.loop import train

DATA = Dataset("four", torch.arange(4.0)[:, None], torch.tensor([0, 0, 1, 1]), 2)


@dataclass(frozen=True, kw_only=True)
class Config(MethodConfig):
    lr: float = knob(0.1, Float(0.0, 1.0), fuses=True)


class Script:
    """Draws from every global stream, as scripts do, and has nothing of them in its state."""

    def __init__(self, config, seed, data, device):
        assert 0 <= seed < 2**32
        np.random.RandomState(seed)
        self.config, self.weight = config, torch.randn(2)

    def fit_epoch(self):
        self.weight = self.weight + self.config.lr * (torch.randn(2) + np.random.normal() + random.random())

    def evaluate(self, last):
        return {"metric.loss": float(self.weight.sum()), "metric.nmi": float(torch.rand(1)) if last else 0.0}

    def state_dict(self):
        return {"weight": self.weight}

    def load_state_dict(self, state):
        self.weight = state["weight"]


class Scripts(InTurn):
    Config, member = Config, Script


class Shared(Method):
    """A fused method that draws for all members at once."""

    Config = Config

    def __init__(self, configs, seeds, data, device):
        self.n = len(configs)

    def fit_epoch(self):
        torch.rand(1)

    def evaluate(self, last):
        return [{"metric.loss": 1.0}] * self.n

    def keep(self, members):
        self.n = len(members)

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def task(*seeds, folder="", **options):
    common = TrialSpec(method="m", method_version=1, config={}, dataset="four", dataset_digest=DATA.digest, n_epochs=4)
    bundle = Bundle(tuple(replace(common, seed=seed) for seed in seeds))
    return BundleTask(bundle=bundle, checkpoint_folder=folder, checkpoint_seconds=0.0, code_digest="abc", **options)


def trained(method, todo, **options):
    rows, outcomes = {}, {}
    for report in train(method, todo, DATA, **options):
        rows |= {
            (r["trial_id"], r["epoch"]): r["metric.loss"]
            for r in (from_stream(report.rows).to_pylist() if report.rows else ())
        }
        outcomes |= {outcome.spec.seed: outcome for outcome in report.outcomes}
    return rows, outcomes


def quietly(check):
    """Run a function of this file in a process of its own: threads that other tests left draw from the same streams."""
    line = f"import runpy; runpy.run_path({__file__!r}, run_name='alone')[{check.__name__!r}]()"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def alone_and_beside_others():
    together, _ = trained(Scripts, task(1, 2, 3))
    torch.rand(7), np.random.random(3), random.random()
    alone = {}
    for seed in (3, 1, 2):
        alone |= trained(Scripts, task(seed))[0]
    assert alone == together
    assert len({value for (_, epoch), value in alone.items() if epoch == 4}) == 3


def test_a_member_that_draws_globally_gives_its_rows_again_alone_and_beside_others():
    quietly(alone_and_beside_others)


def from_a_checkpoint():
    with tempfile.TemporaryDirectory() as folder:
        gone_on_in(Path(folder))


def gone_on_in(tmp_path):
    whole, done = trained(Scripts, task(1, 2))
    stops = iter([False, True])
    first, _ = trained(Scripts, task(1, 2, folder=str(tmp_path / "b")), stopping=lambda: next(stops))
    rest, outcomes = trained(Scripts, task(1, 2, folder=str(tmp_path / "b")))
    assert first | rest == whole
    assert {seed: one.metrics for seed, one in outcomes.items()} == {seed: one.metrics for seed, one in done.items()}


def test_its_global_streams_go_on_from_a_checkpoint():
    quietly(from_a_checkpoint)


def test_a_draw_that_fused_members_share_fails_them_and_says_what_to_do():
    _, outcomes = trained(Shared, task(1, 2))
    assert {outcome.state for outcome in outcomes.values()} == {TrialState.FAILED}
    assert "draws from the global random stream of torch" in outcomes[1].error
    assert "behind InTurn" in outcomes[1].error


class Slow(Script):
    def fit_epoch(self):
        while self.config.lr > 0.5:
            pass


class SlowScripts(InTurn):
    Config, member = Config, Slow


def test_an_epoch_that_does_not_end_fails_by_its_limit_and_not_those_beside_it():
    todo = task(1, 2, limits=Limits(seconds=1.5))
    specs = (replace(todo.bundle.specs[0], config={"lr": 1.0}), todo.bundle.specs[1])
    _, outcomes = trained(SlowScripts, replace(todo, bundle=Bundle(specs)))
    assert (outcomes[1].failure_kind, outcomes[2].state) == ("time_limit", TrialState.COMPLETE)
    assert "it took longer than the 1." in outcomes[1].error


class Greedy(Script):
    def fit_epoch(self):
        if self.config.lr > 0.5:
            torch.zeros(2**28)


class GreedyScripts(InTurn):
    Config, member = Config, Greedy


def test_a_trial_over_its_memory_fails_by_its_limit_and_not_those_beside_it():
    todo = task(1, 2, limits=Limits(memory_bytes=2**28))
    specs = (replace(todo.bundle.specs[0], config={"lr": 1.0}), todo.bundle.specs[1])
    _, outcomes = trained(GreedyScripts, replace(todo, bundle=Bundle(specs)))
    assert (outcomes[1].failure_kind, outcomes[2].state) == ("memory_limit", TrialState.COMPLETE)


class Wide(Script):
    """A setting that is everybody's, made in training."""

    def fit_epoch(self):
        torch.set_default_dtype(torch.float64)
        super().fit_epoch()


class WideScripts(InTurn):
    Config, member = Config, Wide


def test_a_setting_of_the_process_is_put_back_and_its_setter_named():
    notes = []
    for report in train(WideScripts, task(1), DATA):
        assert torch.get_default_dtype() is torch.float32
        notes.append(report.note)
    assert notes[-1].startswith("method 'm' sets torch.default_dtype = torch.float64 for the whole process")


class Remembers(Script):
    """A member that keeps the seed it was given."""

    def __init__(self, config, seed, data, device):
        self.seed = seed


class Several(InTurn):
    Config, member = Config, Remembers


def test_members_trained_in_turn_get_seeds_that_numpy_and_scikit_learn_take():
    roots = [2**63 - 1, 2**32, 7, 2**32 + 7]
    method = Several([Config()] * 4, roots, DATA, torch.device("cpu"))
    seeds = [member.seed for member in method.members]
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert len(set(seeds)) == 4
    alone = Several([Config()], roots[:1], DATA, torch.device("cpu"))
    assert alone.members[0].seed == seeds[0]


class Resting(Script):
    """Its loss falls until an epoch that follows from its seed; a metric is no number before the end."""

    def __init__(self, config, seed, data, device):
        self.until, self.epoch = seed % 4 + 1, 0

    def fit_epoch(self):
        self.epoch += 1

    def evaluate(self, last):
        late = 1.0 if last else float("nan")
        return {"metric.loss": 10.0 - min(self.epoch, self.until), "metric.nmi": late, "metric.odd": float("nan")}

    def state_dict(self):
        return {"epoch": torch.tensor(self.epoch)}

    def load_state_dict(self, state):
        self.epoch = int(state["epoch"])


class RestingScripts(InTurn):
    Config, member = Config, Resting


def resting_task(*seeds, folder="", n_epochs=9):
    todo = task(*seeds, folder=folder, needed=("nmi",))
    stop = StopRule(Plateau(patience=2), larger_is_better=False).written
    specs = tuple(replace(spec, n_epochs=n_epochs, stop=stop) for spec in todo.bundle.specs)
    return replace(todo, bundle=Bundle(specs))


def test_a_member_at_its_plateau_is_complete_with_its_last_metrics_and_the_others_go_on(tmp_path):
    rows, outcomes = trained(RestingScripts, resting_task(0, 1, 2))
    untils = {spec.seed: stream_seed(spec.root_seed, "member") % 4 + 1 for spec in resting_task(0, 1, 2).bundle.specs}
    assert len(set(untils.values())) > 1
    epochs = {seed: 0 for seed in untils}
    for trial_id, epoch in rows:
        seed = next(seed for seed, one in outcomes.items() if one.spec.trial_id == trial_id)
        epochs[seed] = max(epochs[seed], epoch)
    assert epochs == {seed: until + 2 for seed, until in untils.items()}
    assert {one.state for one in outcomes.values()} == {TrialState.COMPLETE}
    assert {one.metrics["nmi"] for one in outcomes.values()} == {1.0}
    alone = {}
    for seed in untils:
        alone |= trained(RestingScripts, resting_task(seed))[0]
    assert alone == rows
    stops = iter([False, False, True])
    folder = str(tmp_path / "b")
    first, _ = trained(RestingScripts, resting_task(0, 1, 2, folder=folder), stopping=lambda: next(stops))
    again, _ = trained(RestingScripts, resting_task(0, 1, 2, folder=folder))
    assert first | again == rows


@dataclass(frozen=True, kw_only=True)
class Knobs(MethodConfig):
    lr: float = knob(0.1, Float(0.0, 1.0), fuses=True)
    form: str = knob("convex", Choice("convex", "added"))


class Fused(FusedMethod):
    Config, member_state = Knobs, ()

    def fit_epoch(self):
        self.epoch += 1

    def evaluate(self, last):
        return [{} for _ in self.configs]


def test_knobs_of_fused_members_are_columns_in_their_order_also_after_some_have_left():
    assert fused_knobs(Knobs) == ("lr",)
    method = Fused([Knobs(lr=0.1), Knobs(lr=0.2, form="added"), Knobs(lr=0.3)], [7, 8, 9], DATA, torch.device("cpu"))
    assert method.columns(("lr", "n_epochs"))["lr"].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert method.columns(("lr", "n_epochs"))["n_epochs"].tolist() == [10.0, 10.0, 10.0]
    assert method.has("form", "added").tolist() == [False, True, False]
    method.keep([1, 2])
    assert method.seeds == [8, 9] and len(method) == 2
    assert method.column("lr").tolist() == pytest.approx([0.2, 0.3])
    assert method.has("form", "added", "other").tolist() == [True, False]


def test_what_stands_at_some_places_comes_in_the_order_of_the_places():
    assert chosen("abcd", [3, 0]) == ["d", "a"]
