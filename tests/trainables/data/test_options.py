"""Options of a dataset reference give the same points every time, and a wrong option is one readable line."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from orchestrator import discovery
from orchestrator.errors import DataError, RequestError
from trainables.data.dataset import Dataset
from trainables.data.derived.imbalance import imbalance_shares
from trainables.data.options import loaded, wrapped


def dataset(split: bool = False) -> Dataset:
    inputs = torch.arange(1000.0)[:, None]
    labels = torch.arange(1000) % 10
    if not split:
        return Dataset("made", inputs, labels, 10)
    return Dataset("made", inputs[:800], labels[:800], 10, inputs[800:], labels[800:])


def view(options: str, split: bool = False) -> Dataset:
    return wrapped(dataset(split), options, f"made:{options}")


def test_no_option_gives_the_dataset_itself() -> None:
    plain = dataset()
    assert wrapped(plain, "", "made") is plain


@pytest.mark.parametrize(
    ("level", "shares"),
    [
        (1, [1, 1, 1, 1, 1, 1, 0.95, 0.9, 0.85, 0.8]),
        (2, [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55]),
        (3, [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]),
    ],
)
def test_imbalance_keeps_the_shares_of_the_paper(level: int, shares: list[float]) -> None:
    assert imbalance_shares(level, 10).tolist() == pytest.approx(shares, abs=1e-6)
    counts = torch.bincount(view(f"imbalance={level}").labels, minlength=10)
    assert counts.tolist() == [round(100 * share) for share in shares]


def test_a_reference_always_means_the_same_points_whatever_the_order_of_options() -> None:
    left, right = view("imbalance=2,subset=300,noise=uniform:0.5"), view("noise=uniform:0.5,subset=300,imbalance=2")
    assert left.digest == right.digest != view("imbalance=2,subset=301,noise=uniform:0.5").digest
    assert len(left) == 300 and left.name == "made:imbalance=2,subset=300,noise=uniform:0.5"


def test_subset_and_imbalance_keep_the_proportion_of_train_and_test() -> None:
    small = view("subset=100", split=True)
    assert len(small.inputs) == 80 and small.test_inputs is not None and len(small.test_inputs) == 20
    assert len(small.under("whole")) == 100
    thin = view("imbalance=3", split=True)
    assert thin.test_labels is not None and torch.bincount(thin.test_labels).tolist()[::9] == [20, 2]


def test_labelled_shows_a_share_of_each_class_and_never_of_the_test_part() -> None:
    given = view("labelled=0.1", split=True).under("whole").given_labels
    assert given is not None and (given[800:] == -1).all()
    shown = given[given >= 0]
    assert torch.bincount(shown).tolist() == [8] * 10


@pytest.mark.parametrize("kind", ["uniform", "class", "instance"])
def test_noise_corrupts_the_asked_share_and_leaves_the_true_labels(kind: str) -> None:
    noisy = view(f"noise={kind}:0.4")
    assert noisy.given_labels is not None and torch.equal(noisy.labels, dataset().labels)
    wrong = float((noisy.given_labels != noisy.labels).float().mean())
    assert wrong == pytest.approx(0.36 if kind == "uniform" else 0.4, abs=0.04)
    clean = view(f"noise={kind}:0").given_labels
    assert clean is not None and torch.equal(clean, noisy.labels)


def test_instance_noise_takes_the_ambiguous_points() -> None:
    heaps = torch.cat([torch.linspace(0.0, 1.0, 100), torch.linspace(1.01, 2.0, 100)])[:, None]
    labels = torch.arange(2).repeat_interleave(100)
    given = wrapped(Dataset("two", heaps, labels, 2), "noise=instance:0.1", "two").given_labels
    assert given is not None
    assert (given != labels).nonzero()[:, 0].tolist() == list(range(90, 110))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("colour=red", "colour"),
        ("imbalance=4", "'4'"),
        ("subset=many", "'many'"),
        ("subset=2000", "2000"),
        ("labelled=1.5", "'1.5'"),
        ("noise=loud:0.1", "'loud:0.1'"),
        ("noise=class", "'class'"),
        ("subset=5,subset=6", "twice"),
        ("labelled=nan", "'nan'"),
        ("pixels=raw", "'raw'"),
        ("stream=class:1", "'class:1'"),
        ("stream=slow:3", "'slow:3'"),
        ("stream=class:11", "at most the 10 classes"),
        ("pixels=standardised", "images with their offset"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(options: str, named: str) -> None:
    with pytest.raises(RequestError) as caught:
        view(options)
    assert named in str(caught.value) and "\n" not in str(caught.value)


def test_standardised_pixels_have_mean_0_and_deviation_1_in_each_channel_of_the_train_part() -> None:
    pixels = torch.rand(60, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 0.5, 0.1]).view(
        3, 1, 1
    )
    mean = pixels[:40].mean(0)
    images = Dataset(
        "made", pixels[:40] - mean, torch.arange(40) % 2, 2, pixels[40:] - mean, torch.arange(20) % 2, offset=mean
    )
    found = wrapped(images, "pixels=standardised", "made:pixels=standardised")
    assert found.offset is None and found.test_inputs is not None
    torch.testing.assert_close(found.inputs.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-6)
    torch.testing.assert_close(found.inputs.std((0, 2, 3)), torch.ones(3))
    channel = pixels[:40, 1]
    torch.testing.assert_close(found.test_inputs[:, 1], (pixels[40:, 1] - channel.mean()) / channel.std())


@pytest.mark.parametrize("split", [False, True])
def test_a_stream_by_class_brings_whole_classes_phase_by_phase(split: bool) -> None:
    streamed = view("stream=class:4", split)
    assert streamed.n_phases == 4 and streamed.arrival is not None
    for labels, arrival in ((streamed.labels, streamed.arrival), (streamed.test_labels, streamed.test_arrival)):
        if labels is not None and arrival is not None:
            assert all(len(arrival[labels == label].unique()) == 1 for label in range(10))
    whole = streamed.under("whole")
    assert whole.arrival is not None and len(whole.arrival) == 1000
    assert all(len(whole.arrival[whole.labels == label].unique()) == 1 for label in range(10))
    assert sorted(whole.arrival.bincount().tolist()) == [200, 200, 300, 300]


def test_a_mixed_stream_has_phases_of_the_same_sizes_and_another_digest() -> None:
    mixed, ordered = view("stream=iid:4"), view("stream=class:4")
    assert mixed.arrival is not None and ordered.arrival is not None
    assert torch.equal(mixed.arrival.bincount(), ordered.arrival.bincount())
    assert all(len(mixed.arrival[mixed.labels == label].unique()) == 4 for label in range(10))
    assert len({mixed.digest, ordered.digest, dataset().digest}) == 3


def test_what_has_come_by_a_phase_is_a_dataset_to_score_on() -> None:
    streamed = view("stream=class:5", split=True)
    for source, total in ((streamed.under("whole"), 1000), (streamed.under("split"), 200)):
        sizes = [len(source.come_by(phase).eval_labels) for phase in range(5)]
        assert sizes == [total // 5 * (phase + 1) for phase in range(5)]
        assert source.come_by(4) is source
        assert len(source.come_by(1).eval_labels.unique()) == 4


def test_options_named_like_a_parameter_of_load_are_for_it() -> None:
    def load(folder: str = "", side: int = 3) -> Dataset:
        assert folder == "a/b"
        return Dataset("made", torch.arange(float(side))[:, None], torch.arange(side) % 2, 2)

    view = loaded(load, "side=40,subset=10,folder=a/b", "made:side=40,subset=10,folder=a/b")
    assert len(view) == 10 and view.name == "made:side=40,subset=10,folder=a/b"
    assert loaded(load, "folder=a/b", "x").name == "x"
    for options, named in (("side=wide", "'wide'"), ("side=1,side=2", "twice"), ("folder=a/b,depth=1", "'depth'")):
        with pytest.raises(RequestError, match=named):
            loaded(load, options, f"made:{options}")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"inputs": torch.zeros(6, 2, dtype=torch.float64)}, "inputs are torch.float64"),
        ({"inputs": torch.zeros(6)}, r"inputs are torch.float32 \(6,\)"),
        ({"labels": torch.zeros(6)}, "inputs have labels torch.float32"),
        ({"labels": torch.arange(6)}, "labels 0 to 5, allowed: 0 to 1"),
        ({"labels": torch.arange(6) - 1}, "labels -1 to 4"),
        ({"test_inputs": torch.full((2, 2), torch.nan), "test_labels": torch.arange(2)}, "test_inputs hold NaN"),
        ({"test_inputs": torch.zeros(2, 2), "test_labels": torch.arange(3)}, "test_inputs have labels"),
        ({"test_inputs": torch.zeros(2, 2)}, "test_inputs have no labels"),
        ({"test_labels": torch.arange(2)}, "test_inputs are absent"),
    ],
)
def test_what_no_method_can_read_is_one_line_that_names_the_tensor(
    changed: dict[str, torch.Tensor], named: str
) -> None:
    fine = Dataset("made", torch.zeros(6, 2), torch.arange(6) % 2, 2)
    assert loaded(lambda: fine, "", "made") is fine
    with pytest.raises(DataError, match=named) as caught:
        loaded(lambda: replace(fine, **changed), "", "made")  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_an_unknown_option_is_told_all_that_there_are_once(tmp_path):
    (tmp_path / "points.csv").write_text("a,b\n1,2\n3,4\n5,7\n")
    with pytest.raises(RequestError) as caught:
        discovery.load_dataset(f"own_file:file={tmp_path / 'points.csv'},clusters=2,colour=2", "whole")
    told = str(caught.value).partition("there are: ")[2].split(", ")
    assert len(told) == len(set(told))
    assert {"file", "window", "features", "clusters", "labels", "subset", "name"} <= set(told)
