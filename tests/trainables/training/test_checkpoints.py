"""A checkpoint comes back as it was written, or is named as unusable; it is never half there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import DataError
from trainables.method import State
from trainables.training.checkpoints import FILE, Checkpoint, flattened, nested, read, remove, write

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
