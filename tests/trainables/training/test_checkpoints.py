"""A checkpoint comes back as it was written, or is named as unusable; it is never half there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import DataError
from orchestrator.trial import FENCE_MARK
from trainables.method import State
from trainables.training.checkpoints import (
    Checkpoint,
    SupersededError,
    files,
    flattened,
    nested,
    read,
    remove,
    state_file,
    write,
)

FILE = state_file("")

LEAVES = st.sampled_from([torch.float32, torch.float64, torch.int64, torch.uint8, torch.bool]).map(
    lambda kind: torch.arange(6).reshape(2, 3).to(kind)
)
STATES = st.recursive(
    st.dictionaries(st.text("abc.", min_size=1, max_size=3), LEAVES, max_size=3),
    lambda inner: st.dictionaries(st.text("abc.", min_size=1, max_size=3), inner, max_size=3),
    max_leaves=6,
)


def equal(left: State, right: State) -> bool:
    if left.keys() != right.keys():
        return False
    for name, part in left.items():
        other = right[name]
        if isinstance(part, dict):
            if not isinstance(other, dict) or not equal(part, other):
                return False
        elif part.dtype != other.dtype or part.shape != other.shape or not torch.equal(part, other):
            return False
    return True


@settings(max_examples=30, deadline=None)
@given(STATES)
def test_a_nested_state_survives_flattening(state: State) -> None:
    assert equal(nested(dict(flattened(state))), state)


def example() -> Checkpoint:
    shared = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    state = {
        "epoch": torch.tensor(3),
        "head": {"weight": shared, "view": shared[1:], "turned": shared.T},
        "streams": {"generators": torch.Generator().get_state()[None]},
        "nothing": {},
    }
    return Checkpoint(state=state, rows=b"rows", progress={"epoch": 3, "groups": [[0, 2]]})


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    write(folder, example())
    found = read(folder)
    assert found is not None and found.rows == b"rows" and found.progress == example().progress
    assert equal(found.state, example().state)
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_no_rows_yet_and_no_checkpoint_yet(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    write(tmp_path, Checkpoint(state={}, rows=b"", progress={}))
    found = read(tmp_path)
    assert found is not None and found.rows == b"" and found.state == {}
    remove(tmp_path)
    remove(tmp_path)
    assert not tmp_path.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, damage: str) -> None:
    write(tmp_path, example())
    content = bytearray((tmp_path / FILE).read_bytes())
    if damage == "flipped":
        content[-1] ^= 1
    damaged = {"cut": content[:-7], "flipped": content, "empty": b"", "text": b"not a checkpoint at all"}[damage]
    (tmp_path / FILE).write_bytes(damaged)
    with pytest.raises(DataError, match=FILE):
        read(tmp_path)


def test_a_write_that_dies_leaves_the_older_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, example())

    def dies(path: Path, target: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(OSError, match="no space"):
        write(tmp_path, Checkpoint(state={}, rows=b"later", progress={}))
    found = read(tmp_path)
    assert found is not None and found.rows == b"rows"


def test_a_leaf_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match="rate"):
        list(flattened({"optimiser": {"rate": 0.1}}))


EARLY, LATE = "0000000001-000001", "0000000001-000002"


def numbered(number: int) -> Checkpoint:
    return Checkpoint(state={"epoch": torch.tensor(number)}, rows=b"", progress={})


def epoch_in(folder: Path) -> int:
    found = read(folder)
    assert found is not None
    return int(found.state["epoch"])


def test_the_name_of_a_checkpoint_has_its_fence_and_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.node", lambda: "node.of a/cluster")
    write(tmp_path, numbered(1), EARLY)
    assert [path.name for path in files(tmp_path)] == [f"state.{EARLY}.node-of-a-cluster.safetensors"]


def test_a_later_handing_out_takes_the_place_of_an_earlier_ones_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, numbered(9), EARLY)
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    write(tmp_path, numbered(2), LATE)
    assert epoch_in(tmp_path) == 2
    assert len(files(tmp_path)) == 1


def test_a_worker_whose_bundle_was_handed_out_again_writes_and_deletes_nothing(tmp_path: Path) -> None:
    write(tmp_path, numbered(1), LATE)
    with pytest.raises(SupersededError, match=f"under fence {LATE}; this worker has {EARLY}"):
        write(tmp_path, numbered(9), EARLY)
    remove(tmp_path, EARLY)
    assert epoch_in(tmp_path) == 1
    remove(tmp_path, LATE)
    assert not tmp_path.exists()


def test_the_mark_of_a_later_handing_out_stops_an_earlier_one_before_there_is_any_file(tmp_path: Path) -> None:
    (tmp_path / f"{FENCE_MARK}{LATE}").touch()
    with pytest.raises(SupersededError):
        write(tmp_path, numbered(9), EARLY)
    assert read(tmp_path) is None
    write(tmp_path, numbered(1), LATE)
    assert epoch_in(tmp_path) == 1


def test_a_worker_that_is_overtaken_while_it_writes_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, numbered(1), EARLY)
    synced = os.fsync

    def overtaken(descriptor: int) -> None:
        synced(descriptor)
        (tmp_path / f"{FENCE_MARK}{LATE}").touch()

    monkeypatch.setattr("os.fsync", overtaken)
    with pytest.raises(SupersededError):
        write(tmp_path, numbered(9), EARLY)
    assert epoch_in(tmp_path) == 1


def test_a_damaged_later_checkpoint_gives_way_to_an_earlier_one(tmp_path: Path) -> None:
    write(tmp_path, numbered(1), EARLY)
    (tmp_path / f"state.{LATE}.elsewhere.safetensors").write_bytes(b"cut short")
    assert epoch_in(tmp_path) == 1


def test_a_checkpoint_from_before_there_were_fences_is_read_and_replaced(tmp_path: Path) -> None:
    write(tmp_path, numbered(1))
    files(tmp_path)[0].rename(tmp_path / "state.safetensors")
    assert epoch_in(tmp_path) == 1
    write(tmp_path, numbered(2), EARLY)
    assert epoch_in(tmp_path) == 2 and len(files(tmp_path)) == 1
