"""The records of an offline run, read with wandb's own types, are the ledger's rows; nothing is sent anywhere."""

import json
import sys
from importlib.util import find_spec

import pytest

from orchestrator.errors import RequestError
from orchestrator.inspection import tracking
from orchestrator.inspection.trackers.wandb import TRACKER
from orchestrator.ledger import Ledger

pytestmark = pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed")


BLOCK, HEAD = 32_768, 7


def pieces(content):
    """Yield the records of a file of W&B's: LevelDB's log, after a head of 7 bytes that counts for the first block."""
    place, whole = HEAD, b""
    while place + HEAD <= len(content):
        if BLOCK - place % BLOCK < HEAD:  # no head fits: the rest of the block is empty
            place += BLOCK - place % BLOCK
            continue
        size, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        whole += content[place + HEAD : place + HEAD + size]
        place += HEAD + size
        if kind in (1, 4):  # full, or last
            yield whole
            whole = b""


def records(folder):
    """Return (config, [row, ...], exit code) of an offline run."""
    from wandb.proto import wandb_internal_pb2

    (path,) = folder.glob("run-*.wandb")
    content = path.read_bytes()
    assert content[:4] == b":W&B"
    config, rows, code = {}, [], None
    for piece in pieces(content):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(piece)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        elif kind == "history":
            rows.append({".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in record.history.item})
        elif kind == "exit":
            code = record.exit.exit_code
    return config, rows, code


@pytest.fixture(scope="module", name="target")
def exported(results, tmp_path_factory):
    target = tmp_path_factory.mktemp("wandb")
    assert tracking.export(results, "seen", [("wandb", target)]) == (10, 10)
    return target


def test_every_trial_is_an_offline_run_with_its_rows_knobs_and_end(results, target):
    folders = sorted(target.glob("wandb/offline-run-*"))
    trials = Ledger(results).trials().set_index("trial_id")
    assert len(folders) == len(trials) == 10
    for folder in folders:
        config, rows, code = records(folder)
        told = Ledger(results).epochs([config["trial_id"]])
        curve = {row["_step"]: row["metric/nmi"] for row in rows if "metric/nmi" in row}
        assert curve == pytest.approx(dict(zip(told["epoch"], told["metric.nmi"], strict=True)))
        assert config["level"] == trials.loc[config["trial_id"], "knob.level"]
        assert (code != 0) == (trials.loc[config["trial_id"], "state"] == "failed")


def test_a_second_export_writes_what_is_new_in_the_place_of_what_was_left(results, target):
    assert tracking.export(results, "seen", [("wandb", target)]) == (10, 0)
    folder = sorted(target.glob("wandb/offline-run-*"))[0]
    (folder / "orchestrate.whole").unlink()  # as a writer that was killed leaves it
    assert tracking.export(results, "seen", [("wandb", target)]) == (10, 1)
    assert len(list(target.glob("wandb/offline-run-*"))) == 10


def test_without_the_package_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(RequestError, match=r'pip install "deep-clustering-orchestrator\[wandb\]"'):
        TRACKER.of(tmp_path)
