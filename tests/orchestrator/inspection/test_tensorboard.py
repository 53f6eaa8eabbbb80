"""TensorBoard's files hold the ledger's rows, are not written twice, and leave the ledger as it is."""

import json
import struct
import sys
from pathlib import Path

import pytest

from orchestrator.designs.around import around
from orchestrator.designs.one_factor import one_factor
from orchestrator.designs.search import search
from orchestrator.errors import RequestError
from orchestrator.executors.inline import InlineExecutor
from orchestrator.inspection import tensorboard
from orchestrator.inspection.tensorboard import export
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

TOY = (str(Path(__file__).parents[1] / "toy"),)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    pytest.importorskip("tensorboardX")
    folder = tmp_path_factory.mktemp("results")
    factors = one_factor("toy", {"mode": ["worse"], "trouble": ["nan"]})
    design = around(search("toy", ("level",), n_configurations=2, n_seeds=2), factors)
    asked = Study(
        question="?",
        name="seen",
        design=design,
        datasets=("gaussians",),
        n_epochs=3,
        seeds=2,
        failure_budget=1,
        margin=0.02,
    )
    with Ledger(folder, writable=True) as ledger:
        runner = Runner(plan_of(asked, Catalogue(TOY)), ledger, RunOptions(plugins=TOY))
        InlineExecutor().run(runner)
        runner.write_record()
    return folder


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
    (line,) = tensorboard.exports(results, "seen", tmp_path, follow=True)
    assert line.startswith(f"10 trials in {tmp_path / 'seen'} (0 new)")


def test_following_goes_on_while_somebody_trains(results, tmp_path, monkeypatch):
    standing = iter(
        [{"running": "moon", "missing": 3}, {"running": "moon", "missing": 1}, {"running": "", "missing": 0}]
    )
    monkeypatch.setattr(tensorboard, "status", lambda *_: [next(standing)])
    monkeypatch.setattr(tensorboard.time, "sleep", lambda _: None)
    assert len(list(tensorboard.exports(results, "seen", tmp_path, follow=True))) == 1
    assert not list(standing)


def test_without_the_package_one_line_says_what_to_install(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(RequestError, match=r'pip install "deep-clustering-orchestrator\[tensorboard\]"'):
        export(results, "seen", tmp_path)


def test_a_folder_that_cannot_be_written_is_one_line(results, tmp_path):
    (tmp_path / "file").write_text(json.dumps({}))
    with pytest.raises(RequestError, match=r"--tensorboard .*file' cannot be written"):
        export(results, "seen", tmp_path / "file")
