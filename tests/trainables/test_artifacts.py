"""An artifact is made once, read back bit for bit, and never trusted when it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from trainables.artifacts import made_once


class Maker:
    """Makes an artifact and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, Tensor]:
        self.calls += 1
        return {"values": torch.arange(6.0).view(2, 3).T, "none": torch.zeros(0, 3)}


def test_it_is_made_once_and_read_back_bit_for_bit(tmp_path: Path) -> None:
    maker = Maker()
    first, second = made_once(tmp_path / "new", "key", maker), made_once(tmp_path / "new", "key", maker)
    assert maker.calls == 1 and first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["key.safetensors"]
    made_once(tmp_path / "new", "other", maker)
    assert maker.calls == 2


@pytest.mark.parametrize("damage", ["cut", "altered", "empty"])
def test_a_damaged_artifact_is_named_and_made_again(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    maker = Maker()
    made_once(tmp_path, "key", maker)
    path = tmp_path / "key.safetensors"
    content = path.read_bytes()
    path.write_bytes({"cut": content[:-4], "altered": content[:-1] + b"\x7f", "empty": b""}[damage])
    assert made_once(tmp_path, "key", maker)["values"].shape == (3, 2)
    assert maker.calls == 2 and str(path) in caplog.text
    assert path.read_bytes() == content


def test_a_file_system_without_links_keeps_artifacts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: object, target: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr("os.link", no_links)
    maker = Maker()
    for _ in range(2):
        made_once(tmp_path, "key", maker)
    assert maker.calls == 1


def test_of_two_that_make_it_at_once_the_first_is_believed_by_both(tmp_path: Path) -> None:
    def overtaken() -> dict[str, Tensor]:
        made_once(tmp_path, "key", lambda: {"values": torch.ones(3)})  # another process, meanwhile
        return {"values": torch.ones(3) + 1e-7}

    assert torch.equal(made_once(tmp_path, "key", overtaken)["values"], torch.ones(3))
    assert torch.equal(made_once(tmp_path, "key", overtaken)["values"], torch.ones(3))
    assert [path.name for path in tmp_path.iterdir()] == ["key.safetensors"]


def test_a_folder_that_cannot_be_written_to_costs_the_keeping_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert "values" in made_once(tmp_path / "file", "key", Maker())
    assert "is not kept" in caplog.text


def test_what_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    def fails() -> dict[str, Tensor]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        made_once(tmp_path / "new", "key", fails)
    assert not (tmp_path / "new").exists()
