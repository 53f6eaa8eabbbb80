"""Commands on broken results folders: one line for each problem, never a traceback, and what is whole stays usable."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from damage import EPOCHS, FOREIGN, READING, STUDIES, TRIALS, WRITING, epochs, outcome

from orchestrator.cli import main
from orchestrator.ledger import Ledger
from orchestrator.trial import Bundle
from trainables.members_file import name_members
from trainables.training.checkpoints import Checkpoint, state_file, write

pytestmark = [pytest.mark.slow, pytest.mark.sample]

TOY = str(Path(__file__).parents[1] / "orchestrator/toy")
STUDY = """
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
STUDY = Study(question="?", datasets=("gaussians",), n_epochs=2, seeds=8, design=one_factor("toy", {"mode": ["worse"]}))
"""

Damage = Callable[[Path], object]


def in_folder(damage: Damage, *parts: str) -> Damage:
    return lambda results: damage(results.joinpath(*parts))


MENDED: dict[str, Damage] = {
    **{f"trials: {kind}": damage for kind, (damage, _) in TRIALS.items()},
    **{f"epochs: {kind}": damage for kind, (damage, _) in EPOCHS.items()},
    **{f"foreign: {kind}": in_folder(damage, "trials") for kind, (damage, _) in FOREIGN.items()},
    **{f"plan: {kind}": in_folder(damage, "studies", "s", "plan.parquet") for kind, (damage, _) in STUDIES.items()},
}
REFUSED: dict[str, Damage] = {kind: damage for kind, (damage, _) in [*READING.items(), *WRITING.items()]}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A ledger with two trials, a plan and a checkpoint."""
    folder = tmp_path / "results"
    with Ledger(folder, writable=True) as ledger:
        ledger.append([outcome(0)], epochs(0))
        ledger.append([outcome(1)], epochs(1))
        ledger.studies.write("s", {"tier": "local"}, pa.table({"trial_id": [outcome(1).spec.trial_id]}))
    return folder


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; return its exit status and what it printed on stdout and stderr."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err + captured.out
    return int(caught.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize("kind", MENDED)
def test_doctor_names_a_broken_file_in_one_line_and_repairs(
    results: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    MENDED[kind](results)
    status, out, err = said(capsys, "doctor", "--results", str(results), "--json")
    problems = json.loads(out)["problems"]
    assert (status, err) == (0, "")
    assert problems
    assert all("\n" not in line for line in problems)
    said(capsys, "doctor", "--results", str(results), "--repair", "--json")
    _, out, _ = said(capsys, "doctor", "--results", str(results), "--json")
    assert json.loads(out)["problems"] == []
    status, _, err = said(capsys, "status", "--results", str(results))
    assert (status, err) == (0, "")


@pytest.mark.parametrize("kind", REFUSED)
def test_a_folder_that_cannot_be_used_ends_a_run_in_one_line(
    results: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (results.parent / "asked.py").write_text(STUDY)
    REFUSED[kind](results)
    place = results.parent / "up" / "results" if kind == "a file above the folder" else results
    asked = str(results.parent / "asked.py")
    refused(capsys, "run", asked, "--plugin", TOY, "--results", str(place), "--address", "inline")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    status, _, err = said(capsys, *arguments)
    assert status == 2, err
    assert len(err.splitlines()) == 1, err
    return err


@pytest.mark.parametrize("made_before", [True, False])
def test_a_folder_that_may_only_be_read_ends_a_run_in_one_line(tmp_path: Path, made_before: bool) -> None:
    results = tmp_path / "above" / "results"
    (tmp_path / "asked.py").write_text(STUDY)
    (results if made_before else results.parent).mkdir(parents=True)
    (results if made_before else results.parent).chmod(0o555)
    out = tmp_path / "out.txt"
    child = os.fork()
    if child == 0:  # root may write anywhere: become somebody else
        try:
            os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT), 2)
            for folder in [tmp_path, *tmp_path.parents[:-2]]:
                if os.getuid() == 0:
                    folder.chmod(folder.stat().st_mode | 0o055)
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            with Ledger(results, writable=True):
                os._exit(3)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}".encode())
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert "LedgerError" in out.read_text()
    assert "Permission denied" in out.read_text()
    assert len(out.read_text().splitlines()) == 1


CHECKPOINTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut short": (lambda f: (f / state_file("")).write_bytes((f / state_file("")).read_bytes()[:-9]), "is unreadable"),
    "empty": (lambda f: (f / state_file("")).write_bytes(b""), "is unreadable"),
    "a flipped byte": (
        lambda f: (f / state_file("")).write_bytes((f / state_file("")).read_bytes()[:-1] + b"\x55"),
        "is damaged",
    ),
    "text": (lambda f: (f / state_file("")).write_text("a pickle, perhaps"), "is unreadable"),
    "nobody's": (lambda f: (f / "members.json").unlink(), "does not say whose it is"),
    "somebody else's": (lambda f: (f / "members.json").write_text('["other"]'), "does not say whose it is"),
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_broken_checkpoint_is_named_and_set_aside(
    results: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = Bundle((outcome(7).spec,))
    folder = Ledger(results).checkpoints.folder(bundle.bundle_id)
    name_members(folder, [spec.trial_id for spec in bundle.specs])
    write(folder, Checkpoint(state={"weight": torch.ones(3)}, rows=b"", progress={}))
    _, out, _ = said(capsys, "doctor", "--results", str(results), "--json")
    assert json.loads(out)["problems"] == []
    damage, phrase = CHECKPOINTS[kind]
    damage(folder)
    _, out, _ = said(capsys, "doctor", "--results", str(results), "--repair", "--json")
    (line,) = json.loads(out)["problems"]
    assert phrase in line
    assert "\n" not in line
    assert not folder.exists()
    assert (results / "quarantine/checkpoints" / bundle.bundle_id).is_dir()
