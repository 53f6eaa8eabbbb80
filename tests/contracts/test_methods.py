"""What every method promises (DESIGN 4.1), held for each one found: nothing here knows a method by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from orchestrator import discovery
from orchestrator.errors import OrchestratorError
from orchestrator.knobs import Int, Knob, Value, canonical, configured, knobs_of
from orchestrator.metric import Metric, also_computed
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.method import Method, Row
from trainables.precision import computing

CPU = torch.device("cpu")
METHODS = discovery.names("method")
EPOCHS = 3
DECLARED = {f"metric.{name}": metric for name, metric in discovery.metrics(()).items()}
EXTERNAL = {name for name, metric in DECLARED.items() if metric.reads_labels}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@cache
def found(name: str) -> Any:
    return discovery.method(name)


@cache
def data(shuffled: bool = False) -> Dataset:
    whole = digits.load()
    labels = whole.labels[:64]
    if shuffled:
        labels = labels[torch.randperm(64, generator=torch.Generator().manual_seed(1))]
    return Dataset("tiny", whole.inputs[:64], labels, 10)


def config(name: str, **values: Value) -> Any:
    method = found(name)
    space = knobs_of(method.Config)
    return configured(method.Config, small(space) | values, EPOCHS, name)


def small(space: Mapping[str, Knob]) -> dict[str, Value]:
    """What makes a method quick, where it has such knobs: narrow layers, small batches."""
    narrow = {knob: known for knob, known in space.items() if knob.endswith(("_width", "_dim", "batch_size"))}
    return {knob: max(known.domain.low, 32) for knob, known in narrow.items() if isinstance(known.domain, Int)}


def unequal(name: str, n: int) -> list[Any]:
    """Configs that differ in every knob that may differ inside a bundle."""
    space = knobs_of(found(name).Config)
    configs = []
    for member in range(n):
        values: dict[str, Value] = {}
        for knob, known in space.items():
            if known.fuses:
                values[knob] = _inside(known.default, known.domain, member)
        configs.append(config(name, **values))
    return configs


def _inside(default: Value, domain: Any, member: int) -> Value:
    """A value of the domain near the default: every member has its own."""
    if hasattr(domain, "options"):
        options: tuple[Value, ...] = domain.options
        return options[(options.index(default) + member) % len(options)]
    moved = default * (1.0, 1.5, 0.7, 0.9, 1.2)[member % 5] if default else domain.low * (member % 2)
    value = min(max(moved, domain.low), domain.high)
    return type(default)(round(value) if isinstance(default, int) else value)


def trained(
    name: str, configs: Sequence[Any], seeds: Sequence[int], epochs: int = EPOCHS, source: Dataset | None = None
) -> tuple[Method, list[list[Row]]]:
    method: Method = found(name)(configs, seeds, source or data(), CPU)
    return method, go_on(method, 0, epochs)


def go_on(method: Method, start: int, stop: int) -> list[list[Row]]:
    rows = []
    for epoch in range(start, stop):
        method.fit_epoch()
        rows.append(method.evaluate(epoch == EPOCHS - 1))
    return rows


def same(left: Row, right: Row) -> bool:
    """Equality of bits, where NaN equals NaN."""
    return left.keys() == right.keys() and all(
        np.float64(left[name]).tobytes() == np.float64(right[name]).tobytes() for name in left
    )


@cache
def alone(name: str, member: int) -> list[Row]:
    """What the bundle's member does without the others."""
    return [rows[0] for rows in trained(name, [unequal(name, 5)[member]], [SEEDS[member]])[1]]


SEEDS = (11, 12, 11, 13, 11)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("n", [2, 5])
def test_a_member_has_the_bits_of_the_trial_trained_alone(name: str, n: int) -> None:
    _, rows = trained(name, unequal(name, n), SEEDS[:n])
    for member in range(n):
        for epoch, row in enumerate(alone(name, member)):
            assert same(rows[epoch][member], row), _difference(rows[epoch][member], row)


def _difference(left: Row, right: Row) -> dict[str, tuple[float | None, float | None]]:
    names = left.keys() | right.keys()
    return {name: (left.get(name), right.get(name)) for name in names if left.get(name) != right.get(name)}


@pytest.mark.parametrize("name", METHODS)
def test_survivors_do_not_notice_that_others_were_dropped(name: str) -> None:
    method, rows = trained(name, unequal(name, 5), SEEDS, epochs=1)
    method.keep([1, 2, 4])
    rows += go_on(method, 1, 2)
    method.keep([0, 2])
    rows += go_on(method, 2, EPOCHS)
    for place, member in enumerate((1, 4)):
        expected = alone(name, member)
        got = [rows[0][member], rows[1][(0, 2)[place]], rows[2][place]]
        for left, right in zip(got, expected, strict=True):
            assert same(left, right), _difference(left, right)


@pytest.mark.parametrize("name", METHODS)
def test_a_poisoned_member_poisons_nobody(name: str) -> None:
    configs = unequal(name, 3)
    rates = [field.name for field in dataclasses.fields(configs[0]) if field.name == "lr"]
    if not rates:
        pytest.skip("no learning rate to poison")
    configs[1] = replace(configs[1], lr=1e30)
    _, rows = trained(name, configs, SEEDS[:3])
    for member in (0, 2):
        expected = trained(name, [configs[member]], [SEEDS[member]])[1]
        for epoch in range(EPOCHS):
            assert same(rows[epoch][member], expected[epoch][0])


@pytest.mark.parametrize("name", METHODS)
def test_a_state_taken_in_the_middle_goes_on_to_the_same_rows(name: str) -> None:
    configs, seeds = unequal(name, 3), SEEDS[:3]
    method, _ = trained(name, configs, seeds, epochs=1)
    state = method.state_dict()
    rows = go_on(method, 1, EPOCHS)
    fresh: Method = found(name)(configs, seeds, data(), CPU)
    fresh.load_state_dict(state)
    for left, right in zip(go_on(fresh, 1, EPOCHS), rows, strict=True):
        assert all(same(one, other) for one, other in zip(left, right, strict=True))


@pytest.mark.parametrize("name", METHODS)
def test_the_same_trial_gives_the_same_rows_again_and_touches_no_global_generator(name: str) -> None:
    configs, seeds = unequal(name, 2), SEEDS[:2]
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]
    _, first = trained(name, configs, seeds)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # type: ignore[index]
    _, second = trained(name, configs, seeds)
    for left, right in zip(first, second, strict=True):
        assert all(same(one, other) for one, other in zip(left, right, strict=True))


@pytest.mark.parametrize("name", METHODS)
def test_an_evaluation_consumes_no_random_stream(name: str) -> None:
    method, _ = trained(name, unequal(name, 2), SEEDS[:2], epochs=1)
    assert all(same(*pair) for pair in zip(method.evaluate(False), method.evaluate(False), strict=True))
    rows = go_on(method, 1, EPOCHS)
    _, once = trained(name, unequal(name, 2), SEEDS[:2])
    assert all(same(*pair) for pair in zip(rows[-1], once[-1], strict=True))


@pytest.mark.parametrize("name", METHODS)
def test_shuffled_labels_change_external_metrics_only(name: str) -> None:
    configs, seeds = unequal(name, 2), SEEDS[:2]
    _, true = trained(name, configs, seeds)
    _, shuffled = trained(name, configs, seeds, source=data(shuffled=True))
    for left, right in zip(true, shuffled, strict=True):
        for one, other in zip(left, right, strict=True):
            assert set(_difference(one, other)) <= EXTERNAL


@pytest.mark.parametrize("name", [name for name in METHODS if "bfloat16" in found(name).precisions])
def test_in_bfloat16_a_member_has_its_bits_alone_on_a_cpu_and_labels_do_not_steer(name: str) -> None:
    configs, seeds = unequal(name, 2), SEEDS[:2]
    with computing("bfloat16"):
        _, rows = trained(name, configs, seeds, epochs=2)
        _, single = trained(name, configs[1:], seeds[1:], epochs=2, source=data(shuffled=True))
    assert not same(rows[1][1], alone(name, 1)[1])  # it is another format
    for epoch in range(2):
        assert set(_difference(rows[epoch][1], single[epoch][0])) <= EXTERNAL
        assert all(np.isfinite(row["metric.loss"]) for row in rows[epoch])


@pytest.mark.parametrize("name", METHODS)
def test_rows_have_the_metrics_that_every_reader_counts_on(name: str) -> None:
    _, rows = trained(name, [config(name)], [3])
    always = {"metric.acc", "metric.nmi", "metric.ari", "metric.neighbour_mi", "metric.collapsed"}
    assert always <= rows[0][0].keys()
    assert any(name.endswith(".loss") for name in rows[0][0])
    for row in (rows[0][0], rows[-1][0]):
        assert all(name in DECLARED or name.startswith("diagnostic.") for name in row)
        assert all(isinstance(value, float) for value in row.values())
    assert {"metric.ami", "metric.silhouette", "metric.preservation"} <= rows[-1][0].keys()


@pytest.mark.parametrize("clusters", [4, 13])
@pytest.mark.parametrize("name", [name for name in METHODS if not found(name).finds_n_clusters])
def test_a_number_of_clusters_that_is_not_that_of_the_classes_is_what_is_trained_and_scored(
    name: str, clusters: int
) -> None:
    asked, source = [], replace(data(), clusters=clusters)
    look = Metric(written="clusters", compute=lambda scored: asked.append((scored.n_clusters, int(scored.hard.max()))))
    with also_computed("_clusters", look):
        _, rows = trained(name, [config(name)], [11], source=source)
    assert {n_clusters for n_clusters, _ in asked} == {clusters}
    assert all(largest < clusters for _, largest in asked)
    last = rows[-1][0]
    assert 1 <= last["metric.n_clusters_used"] <= clusters
    assert last.keys() >= EXTERNAL & alone(name, 0)[-1].keys()
    assert all(np.isfinite(last[metric]) for metric in EXTERNAL & last.keys())


def test_every_method_has_a_config_whose_defaults_are_canonical() -> None:
    for name in METHODS:
        method = found(name)
        space = knobs_of(method.Config)
        assert canonical(space, {}, name) == {knob: known.default for knob, known in space.items()}
        assert isinstance(method.version, int) and method.version >= 1
        assert method.max_members(config(name), data()) >= 1


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("name", METHODS)
def test_every_knob_is_accepted_at_its_default_and_at_both_ends(name: str) -> None:
    space = knobs_of(found(name).Config)
    for knob, known in space.items():
        condition = {other: allowed[0] for other, allowed in known.when.items()}
        for value in dict.fromkeys((known.default, *known.domain.ends())):
            asked = config(name, **{**condition, knob: value})
            method: Method = found(name)([asked], [1], data(), CPU)
            method.fit_epoch()
            row = method.evaluate(False)[0]
            assert "metric.nmi" in row, f"{name}.{knob} = {value}"


@pytest.mark.parametrize("name", METHODS)
def test_tiny_and_odd_data_give_a_result_or_one_readable_line(name: str) -> None:
    points = torch.randn(80, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    none = torch.zeros(24, dtype=torch.int64)
    odd = {
        "fewer points than clusters": Dataset("few", points[:6], torch.arange(6), 10),
        "batches smaller than the number of clusters": Dataset("many", points, torch.arange(80) % 40, 40),
        "one cluster": Dataset("one", points[:24], none, 1),
        "points of one class only": Dataset("same", points[:24], none, 4),
        "zero vectors": Dataset("zero", torch.zeros(24, 1, 8, 8), torch.arange(24) % 4, 4),
        "two points": Dataset("two", points[:2], torch.arange(2), 2),
    }
    for what, source in odd.items():
        try:
            method: Method = found(name)([config(name)], [1], source, CPU)
            method.fit_epoch()
            (row,) = method.evaluate(True)
        except OrchestratorError as error:
            assert "\n" not in str(error) and what == "fewer points than clusters", f"{what}: {error}"
        else:
            odd_ones = {
                key: value for key, value in row.items() if key.startswith("metric.") and not np.isfinite(value)
            }
            assert "metric.nmi" in row and not odd_ones, what
