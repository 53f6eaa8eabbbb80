"""Folders that somebody crafted (`crafted`): every command ends in one line, and nothing outside changes or runs."""

from __future__ import annotations

import hashlib
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from crafted import A_TRIAL, CRAFTED, STUDY
from kill_rig.drivers import PLUGIN

from orchestrator.cli import main
from orchestrator.dataset_name import DatasetName
from orchestrator.ledger import Ledger

pytestmark = pytest.mark.slow

KEPT = Path(__file__).parent / "results_of_5c7b3a1"
SECONDS = 120
"""For all commands on one folder, of which the slowest draws figures; a pipe would be waited for without end."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `results`, `outside` and, for what commands write, `out`."""
    place = tmp_path / "place"
    shutil.copytree(KEPT, place / "results")
    (place / "outside").mkdir()
    (place / "outside" / "marker").write_text("it stays as it is")
    (place / "outside" / "folder").mkdir()
    (place / "outside" / "folder" / "kept.txt").write_text("it stays too")
    (tmp_path / "out").mkdir()
    np.save(tmp_path / "out" / "new.npy", np.zeros((3, 2), dtype=np.float32))
    monkeypatch.chdir(tmp_path)
    return place


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Fail what takes longer than `SECONDS`."""

    def hangs(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    DatasetName("dots", "dots")  # a record may have said where the data of this name lie, and this process knows it


def surroundings(place: Path) -> str:
    """Return a digest of all that lies beside the results folder: names, kinds, contents, times."""
    found = hashlib.blake2b()
    for path in sorted(place.rglob("*")):
        if (place / "results") in (path, *path.parents):
            continue
        about = path.lstat()
        found.update(f"{path.relative_to(place)} {about.st_mode} {about.st_size} {about.st_mtime_ns}".encode())
        found.update(path.read_bytes() if path.is_file() and not path.is_symlink() else b"")
    return found.hexdigest()


def commands(results: Path, out: Path) -> list[list[str]]:
    """Return what somebody does with a folder that he was sent."""
    where = ["--results", str(results)]
    return [
        ["status", *where],
        ["trial", "a", *where],
        ["doctor", *where],
        ["export", STUDY, str(out / "view.csv"), *where],
        ["export", STUDY, "--tensorboard", str(out / "boards"), *where],
        ["export", STUDY, "--mlflow", str(out / "mlflow"), *where],
        ["export", "--ledger", str(out / "kept"), *where],
        ["verify", STUDY, "--sample", "1", "--plugin", str(PLUGIN), *where],
        ["clean", "--remove", *where],
        ["run", STUDY, "--plugin", str(PLUGIN), "--address", "inline", "--no-report", *where],
        ["doctor", "--repair", *where],
        ["report", STUDY, "--no-notebook", *where],
        ["predict", A_TRIAL, str(out / "new.npy"), "--plugin", str(PLUGIN), *where],
        ["retract", A_TRIAL, "--reason", "a try", *where],
        ["merge", str(results), "--results", str(out / "merged")],
    ]


def ends(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command in this process; it ends by itself, in order or in one line."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    said = capsys.readouterr()
    about = (arguments[0], caught.value.code, said.err[-2000:])
    assert caught.value.code in (0, 1, 2, None), about
    assert "Traceback" not in said.out + said.err, about
    assert not any(sign in said.out + said.err for sign in "\x1b\x07\x00"), about
    if caught.value.code:
        assert len([line for line in said.err.splitlines() if line.startswith("orchestrate: ")]) == 1, about


SAMPLED = [
    pytest.param(kind, marks=pytest.mark.sample) if number % 12 == 0 else kind for number, kind in enumerate(CRAFTED)
]


@pytest.mark.parametrize("kind", SAMPLED)
def test_nothing_outside_changes_or_runs_and_every_command_ends_in_order_or_in_one_line(
    place: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results, outside = place / "results", place / "outside"
    CRAFTED[kind](results, outside)
    before = surroundings(place)
    for arguments in commands(results, tmp_path / "out"):
        ends(arguments, capsys)
        assert surroundings(place) == before, arguments
    assert not (outside / "executed").exists()
    planted = [path for path in (tmp_path / "out").rglob("*") if tmp_path / "out" not in path.resolve().parents]
    assert planted == []


def test_the_honest_folder_is_read_by_every_command(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    n_trials = len(Ledger(place / "results").trials())  # before a command retracts one
    for arguments in commands(place / "results", tmp_path / "out"):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        said = capsys.readouterr()
        refused = arguments[:2] == ["trial", "a"] or arguments[0] == "predict"  # several begin so; nothing is kept

        assert caught.value.code in ((2,) if refused else (0, None)), (arguments, said.out[-600:], said.err)
    assert (tmp_path / "out" / "view.csv").is_file()
    assert (tmp_path / "out" / "boards" / STUDY).is_dir()
    assert len(Ledger(tmp_path / "out" / "kept").trials()) == n_trials


@pytest.mark.parametrize("kind", ["replaces what it does not hold", "two that replace each other"])
def test_no_header_makes_whole_rows_count_for_nothing(place: Path, kind: str) -> None:
    before = set(Ledger(place / "results").trials()["trial_id"])
    CRAFTED[kind](place / "results", place / "outside")
    assert set(Ledger(place / "results").trials()["trial_id"]) == before
    with Ledger(place / "results", writable=True) as ledger:
        assert any("does not hold" in line for line in ledger.doctor.problems())
        ledger.doctor.repair()
        assert ledger.doctor.problems() == []
        assert set(ledger.trials()["trial_id"]) == before
