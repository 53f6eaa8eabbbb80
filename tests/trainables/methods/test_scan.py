"""SCAN: its pretext and neighbours, what a step pairs, its stages in order, and that it learns on images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from orchestrator.knobs import configured
from trainables.data import data_folder
from trainables.data.dataset import Dataset
from trainables.datasets import digits
from trainables.methods.scan import METHOD, Scan

SMALL = {
    "encoder_width": 32,
    "batch_size": 64,
    "self_label_batch": 128,
    "view": "affine",
    "weak_view": "none",
    "neighbours": 5,
    "self_label_share": 0.5,
    "self_label_threshold": 0.7,
    "lr": 1e-3,
}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path))


def built(n: int, n_epochs: int, *knobs: dict[str, Any], seeds: tuple[int, ...] = (3,)) -> Scan:
    whole = digits.load()
    data = Dataset("some digits", whole.inputs[:n], whole.labels[:n], 10)
    configs = [configured(METHOD.Config, SMALL | each, n_epochs, "scan") for each in knobs or ({},)]
    return METHOD(configs * len(seeds), list(seeds), data, torch.device("cpu"))


def test_without_a_pretext_neighbours_are_those_of_the_inputs_by_cosine() -> None:
    trained = built(90, 2, {"pretext": "none"})
    x = torch.nn.functional.normalize(trained.data.vectors, dim=1)
    expected = (x @ x.T).fill_diagonal_(-2.0).topk(5).indices
    assert torch.equal(trained.near[0, :, 0], torch.arange(90))
    assert torch.equal(trained.near[0, :, 1:].sort(1).values, expected.sort(1).values)
    assert trained.stages() == ()


def test_seeds_have_pretexts_of_their_own_or_share_one_and_say_so() -> None:
    own = built(90, 2, {"pretext_seed": "own"}, seeds=(3, 4))
    shared = built(90, 2, {"pretext_seed": "shared"}, seeds=(3, 4))
    assert len({stage.key for (stage,) in own.stages()}) == 2
    assert len({stage.key for (stage,) in shared.stages()}) == 1
    weights = shared.parts["encoder"].params[0]
    assert torch.equal(weights[0], weights[1])
    heads = shared.parts["heads"].params[0]
    assert not torch.equal(heads[0], heads[1])


def test_a_point_is_paired_with_itself_or_one_of_its_neighbours_all_in_turn() -> None:
    trained = built(90, 2, {"pretext": "none", "view": "none"})
    trained.fit_epoch()
    rows = torch.arange(90).unsqueeze(0)
    seen = set()
    for _ in range(40):
        trained.drawn = trained.picks.uniform(90)
        anchors, partners = trained.seen(rows, trained.inputs[rows])
        assert torch.equal(anchors, trained.inputs[rows])
        place = (partners[0, 7] == trained.inputs[trained.near[0, 7]]).flatten(1).all(1).nonzero()[0, 0]
        seen.add(int(place))
    assert seen == set(range(6))


def test_stages_follow_each_other_and_the_best_head_is_the_one_that_goes_on() -> None:
    trained = built(130, 4, {"heads": 3})
    for _ in range(2):
        trained.fit_epoch()
    assert trained.horizon == 2 and trained.stage.optimiser.n_steps == 0
    trained.scores = torch.tensor([[0.0, -5.0, 1.0]])
    outputs = trained.parts["heads"](trained.parts["encoder"].embed(trained.inputs), False)
    assert torch.equal(trained.assigned(trained.inputs)[0], outputs[..., 10:20].argmax(2))
    before = trained.parts["heads"].params[0].detach().clone()
    trained.fit_epoch()
    moved = (trained.parts["heads"].params[0] != before).any(1)[0].view(3, 10).any(1)
    assert trained.stage.optimiser.n_steps > 0
    assert bool(moved[1])
    assert trained.optimiser.n_steps == 2 * len(trained.cuts)


def test_vectors_have_noise_for_the_strong_view_and_nothing_for_the_weak_one() -> None:
    points = torch.randn(60, 6, generator=torch.Generator().manual_seed(0))
    config = configured(METHOD.Config, SMALL | {"view": "standard", "weak_view": "crop"}, 2, "scan")
    made = METHOD([config], [1], Dataset("made", points, torch.arange(60) % 3, 3), torch.device("cpu"))
    assert made.stage.strong.view.noise > 0 and made.stage.weak.view.noise == 0
    made.fit_epoch()


def test_it_learns_on_images_and_self_labelling_does_not_undo_it() -> None:
    trained = built(900, 16, {"encoder_width": 128, "self_label_share": 0.25, "pretext_factor": 1.0, "lr": 3e-3})
    values = []
    for _ in range(16):
        trained.fit_epoch()
        values.append(trained.evaluate(False)[0]["metric.nmi"])
    assert values[11] > 0.6
    assert values[-1] > values[11] - 0.05
    assert trained.evaluate(True)[0]["metric.collapsed"] == 0.0
