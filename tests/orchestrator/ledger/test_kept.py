"""Kept files are named by their content, come along when folders are merged, and a stranger's names open nothing."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from orchestrator.errors import LedgerError
from orchestrator.ledger import Ledger
from trainables.adapters.alone import as_npy

CLUSTERS = {"assignments": as_npy(np.array([1, 0, 2], dtype=np.int32)), "weights": b"\0" * 8 + b"{}"}


def test_equal_contents_are_one_file_and_forgetting_deletes_all(tmp_path):
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.kept.put("aa", CLUSTERS)
        ledger.kept.put("bb", CLUSTERS)
        assert ledger.kept.ids() == {"aa", "bb"}
        assert ledger.kept.of("aa") == ledger.kept.of("bb")
        files = list((tmp_path / "kept" / "files").iterdir())
        assert sorted(path.suffix for path in files) == [".parquet", ".safetensors"]
        assert ledger.kept.n_bytes("aa") == sum(path.stat().st_size for path in files)
        assert pq.read_table(ledger.kept.of("aa")["assignments"])["cluster"].to_pylist() == [1, 0, 2]
        ledger.kept.forget()
        assert ledger.kept.ids() == set()
        assert ledger.kept.of("aa") == {}


def test_embeddings_are_lists_in_the_order_of_the_points(tmp_path):
    points = np.arange(6, dtype=np.float32).reshape(3, 2)
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.kept.put("ab", {"embeddings": as_npy(points), "weights": b"not safetensors"})
        files = ledger.kept.of("ab")
    assert np.array_equal(np.stack(pq.read_table(files["embeddings"])["embedding"].to_pylist()), points)
    assert files["weights"].suffix == ".bin"


def test_only_who_holds_the_folder_writes(tmp_path):
    with pytest.raises(LedgerError):
        Ledger(tmp_path).kept.put("aa", CLUSTERS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        '{"weights": {"file": "../../secret", "bytes": 1}}',
        '{"weights": {"file": 3, "bytes": 1}}',
        '{"weights": "x"}',
        '{"other": {"file": "' + "0" * 32 + '.bin", "bytes": 1}}',
        "[1]",
        "{",
    ],
)
def test_names_that_are_none_of_ours_name_nothing(tmp_path, content):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "aa.json").write_text(content)
    assert Ledger(tmp_path).kept.of("aa") == {}


def test_a_merge_brings_what_is_kept_but_for_damaged_files(tmp_path):
    with Ledger(tmp_path / "there", writable=True) as there:
        there.kept.put("aa", CLUSTERS)
        there.kept.put("bb", {"weights": b"mine"})
        there.kept.of("bb")["weights"].write_bytes(b"else")
    with Ledger(tmp_path / "here", writable=True) as here:
        assert here.kept.bring(tmp_path / "there") == 1
        assert here.kept.bring(tmp_path / "there") == 0
        assert here.kept.ids() == {"aa"}
        path = here.kept.of("aa")["weights"]
        assert path.read_bytes() == CLUSTERS["weights"]
        assert json.loads((tmp_path / "here" / "kept" / "aa.json").read_text())["weights"]["bytes"] == 10


def test_trials_of_which_nothing_is_kept_are_named(tmp_path):
    with Ledger(tmp_path, writable=True) as ledger:
        ledger.kept.put("aa", CLUSTERS)
        assert ledger.kept.missing_of(["aa", "bb"]) == {"bb"}
        assert ledger.kept.missing_of([]) == set()
        assert (ledger.kept.of("bb"), ledger.kept.n_bytes("bb")) == ({}, 0)


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path):
    outside, results = tmp_path / "outside", tmp_path / "results"
    outside.mkdir()
    with Ledger(results, writable=True) as ledger:
        (results / "kept").symlink_to(outside)
        with pytest.raises(LedgerError):
            ledger.kept.put("aa", CLUSTERS)
    assert list(outside.iterdir()) == []
