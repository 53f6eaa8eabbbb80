"""Forward passes in another number format: who computes in it, who does not, and what becomes of the answer."""

import numpy as np
import pytest
import torch

from orchestrator import discovery
from orchestrator.knobs import canonical, knobs_of
from orchestrator.trial import PRECISIONS, Bundle, BundleTask, TrialSpec, TrialState
from trainables.datasets import digits
from trainables.networks import build
from trainables.precision import FORWARD, autocast, computing, lowered
from trainables.randomness import Streams
from trainables.training.loop import train

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def task(precision, method="entropy", seeds=8, n_epochs=4):
    space = knobs_of(discovery.method(method).Config)
    common = {"config": canonical(space, {}, method), "dataset": "digits", "dataset_digest": "", "n_epochs": n_epochs}
    specs = [
        TrialSpec(method=method, method_version=1, seed=seed, precision=precision, **common) for seed in range(seeds)
    ]
    return BundleTask(bundle=Bundle(tuple(specs)))


def outcomes(precision, **options):
    reports = train(discovery.method("entropy"), task(precision, **options), digits.load())
    return [outcome for report in reports for outcome in report.outcomes]


def test_every_precision_has_a_format():
    assert set(FORWARD) == set(PRECISIONS)


def test_in_float32_nothing_is_cast_and_no_context_is_entered():
    x = torch.randn(2, 3)
    assert lowered(x) is x
    with computing("tf32"), autocast(CPU):
        assert lowered(x) is x and not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_network_computes_in_bfloat16_and_hands_out_float32_with_float32_gradients(name):
    x = torch.randn(2, 16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    network = build(name, x.shape[2:], Streams([1, 2], "init.network", CPU), out_features=3)
    plain = network(x, train=False)
    with computing("bfloat16"):
        lower = network(x, train=False)
        embedded = network.embed(x[0])
    assert torch.equal(network(x, train=False), plain)
    with computing("bfloat16"):
        gradients = torch.autograd.grad(network(x, train=True).square().sum(), network.params)
    parts = [lower, embedded, *gradients, *network.params, *network.buffers]
    assert {part.dtype for part in parts} == {torch.float32}
    assert not torch.equal(lower, plain)
    assert torch.allclose(lower, plain, atol=0.05)


def test_a_trial_in_bfloat16_is_another_trial_near_the_one_in_float32_and_its_row_says_what_it_is():
    plain, lower = outcomes("float32"), outcomes("bfloat16")
    assert {outcome.state for outcome in lower} == {TrialState.COMPLETE}
    assert {outcome.spec.trial_id for outcome in lower}.isdisjoint(outcome.spec.trial_id for outcome in plain)
    accuracy = [np.array([outcome.metrics["acc"] for outcome in part]) for part in (plain, lower)]
    assert not np.array_equal(*accuracy)
    assert abs((accuracy[1] - accuracy[0]).mean()) < 0.01
    assert all(np.isfinite(outcome.metrics["loss"]) for outcome in lower)
    facts = lower[0].facts
    assert lower[0].spec.precision == "bfloat16"
    assert (facts["device"], facts["threads"], facts["tf32"], facts["deterministic"]) == ("cpu", 1, False, True)


def test_two_bundles_in_one_process_keep_their_precision_when_they_take_turns():
    data, method = digits.load(), discovery.method("entropy")
    turns = {p: train(method, task(p, seeds=1, n_epochs=2), data) for p in ("float32", "bfloat16")}
    rows = {p: [] for p in turns}
    for _ in range(2):
        for precision, reports in turns.items():
            rows[precision] += [outcome.metrics for outcome in next(reports).outcomes]
    for precision, found in rows.items():
        assert found == [outcome.metrics for outcome in outcomes(precision, seeds=1, n_epochs=2)]
    assert lowered(torch.zeros(1)).dtype is torch.float32
