"""TensorBoard's files hold the ledger's rows, are not written twice, and leave the ledger as it is."""

import json
import struct
import sys
from importlib.util import find_spec

import pytest

from orchestrator.errors import RequestError
from orchestrator.inspection import tracking
from orchestrator.ledger import Ledger

pytestmark = pytest.mark.skipif(find_spec("tensorboardX") is None, reason="tensorboardX is not installed")


def export(results, study, target):
    return tracking.export(results, study, [("tensorboard", target)])


def events(path):
    """Return the events of a file, read as TensorBoard's format says."""
    from tensorboardX.proto.event_pb2 import Event

    content, found, place = path.read_bytes(), [], 0
    while place < len(content):
        (size,) = struct.unpack_from("<Q", content, place)
        found.append(Event.FromString(content[place + 12 : place + 12 + size]))
        place += 12 + size + 4
    return found


def test_every_trial_is_a_run_whose_steps_are_its_rows(results, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    n_trials, n_new = export(results, "seen", tmp_path)
    files = sorted(tmp_path.rglob("*"))
    files = [path for path in files if path.is_file()]
    assert n_trials == n_new == len(files) == 2 * 2 + 3 * 2
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before
    (path,) = (tmp_path / "seen/mode=worse/seed-1").iterdir()
    told = events(path)
    assert told[0].file_version == "brain.Event:2"
    rows = Ledger(results).epochs([path.name.split(".")[0]])
    curve = {
        event.step: value.simple_value for event in told for value in event.summary.value if value.tag == "metric/nmi"
    }
    assert curve == pytest.approx(dict(zip(rows["epoch"], rows["metric.nmi"], strict=True)))
    assert "_hparams_/session_start_info" in {value.tag for event in told for value in event.summary.value}
    assert len(list((tmp_path / "seen/search/toy @ gaussians").iterdir())) == 4


def test_a_trial_that_failed_ends_its_curve_and_says_so(results, tmp_path):
    export(results, "seen", tmp_path)
    (path,) = (tmp_path / "seen/trouble=nan/seed-0").iterdir()
    told = events(path)
    assert {event.step for event in told} == {0, 1}
    assert b"failed" in path.read_bytes()


def test_a_second_export_writes_what_is_new(results, tmp_path):
    export(results, "seen", tmp_path)
    (path,) = (tmp_path / "seen/baseline/seed-0").iterdir()
    path.rename(path.with_name(f"{'0' * 20}.1.tfevents"))  # an attempt that failed before
    assert export(results, "seen", tmp_path) == (10, 1)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    (line,) = tracking.exports(results, "seen", [("tensorboard", tmp_path)], follow=True)
    assert line.startswith(f"10 trials in {tmp_path / 'seen'} (0 new)")


def test_following_goes_on_while_somebody_trains(results, tmp_path, monkeypatch):
    standing = iter(
        [{"running": "moon", "missing": 3}, {"running": "moon", "missing": 1}, {"running": "", "missing": 0}]
    )
    monkeypatch.setattr(tracking, "status", lambda *_: [next(standing)])
    monkeypatch.setattr(tracking.time, "sleep", lambda _: None)
    assert len(list(tracking.exports(results, "seen", [("tensorboard", tmp_path)], follow=True))) == 1
    assert not list(standing)


def test_without_the_package_one_line_says_what_to_install(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(RequestError, match=r'pip install "deep-clustering-orchestrator\[tensorboard\]"'):
        export(results, "seen", tmp_path)


def test_a_folder_that_cannot_be_written_is_one_line(results, tmp_path):
    (tmp_path / "file").write_text(json.dumps({}))
    with pytest.raises(RequestError, match=r"--tensorboard .*file' cannot be written"):
        export(results, "seen", tmp_path / "file")
