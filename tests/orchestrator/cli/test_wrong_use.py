"""Wrong use ends in one line that names the value and what is allowed, exit status 2, and nothing half-written."""

import os
from pathlib import Path

import pytest

from orchestrator.cli import commands, main

TOY = str(Path(__file__).parent.parent / "toy")

STUDY = """
from orchestrator.designs.one_factor import one_factor
from orchestrator.study import Study
COMMON = dict(question="?", datasets=("gaussians",), n_epochs=2, margin=0.02)
STUDY = Study(**{{**COMMON, **dict({fields})}})
"""


def refused(arguments, capsys, status=2):
    """Run a command that must be refused and return its one line."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == status
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("orchestrate: ")
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "STUDY"),
        (["run", "quickstart", "--speed"], "--speed"),
        (["jog"], "jog"),
        (["run", "nosuch"], "unknown study 'nosuch'; there are: "),
        (["run", "/nowhere/study.py"], "/nowhere/study.py"),
        (["run", "quickstart", "--set", "seeds"], "--set 'seeds' is not NAME=VALUE"),
        (["run", "quickstart", "--set", "seeds=many"], "seeds is a whole number"),
        (["run", "quickstart", "--set", "seeds=1"], "paired tests need at least 2"),
        (["run", "quickstart", "--set", "speed=3"], "unknown knob"),
        (["run", "quickstart", "--set", "dataset=zzz"], "unknown dataset 'zzz'; there are: "),
        (["run", "quickstart", "--set", "kmeans.n_init=0"], "kmeans.n_init = 0 is outside its domain"),
        (["run", "quickstart", "--set", "entropy.lr=3"], "entropy.lr = 3 is both set and searched"),
        (["run", "quickstart", "--set", "seeds=3"], "cannot reach alpha"),
        (["run", "quickstart", "--set", "dataset=digits", "--set", "seeds=8"], "67% of alpha that a look before the"),
        (["run", "quickstart", "--tier", "moon"], "unknown tier of study quickstart 'moon'; there are: local"),
        (["run", "quickstart", "--retry-failed", "luck"], "unknown value of --retry-failed 'luck'"),
        (["run", "quickstart", "--address", "nowhere"], "--address 'nowhere': allowed are local, auto and HOST:PORT"),
        (["run", "quickstart", "--address", "127.0.0.1:1"], "no Ray cluster answers at '127.0.0.1:1'"),
        (["run", "quickstart", "--plugin", "nofolder"], "--plugin 'nofolder' is no folder"),
        (["report", "quickstart"], "unknown study in this results folder 'quickstart'"),
        (["trial", "abc"], "trial id 'abc' fits 0 of the 0 trials"),
        (["verify", "quickstart"], "quickstart"),
        (["export", "quickstart", "x.xls"], ".csv and .parquet"),
        (["status", "nosuch"], "nosuch"),
        (["run", "quickstart", "--all"], "STUDY 'quickstart' and --all: only one of them"),
        (["run", "--all", "--set", "seeds=3"], "--set 'seeds=3' with --all is not allowed"),
        (["plan"], "name one STUDY, or say --all"),
        (["verify"], "name one STUDY, or say --all"),
        (["report", "quickstart", "--answers", "x.md"], "--answers 'x.md' without --all"),
        (["report", "--all"], "no study was planned in"),
        (["export"], "name STUDY and FILE, or STUDY --tensorboard DIR, or say --ledger DIR"),
        (["export", "quickstart", "--ledger", "kept"], "a kept ledger holds every study"),
        (["export", "quickstart", "x.csv", "--follow"], "--follow without --tensorboard DIR"),
        (["export", "quickstart", "--tensorboard", "runs"], "unknown study in this results folder 'quickstart'"),
        (["export", "--ledger", "kept"], "no study was planned in"),
    ],
)
def test_a_wrong_request_is_one_line(arguments, says, capsys, tmp_path):
    results = tmp_path / "results"
    if arguments[0] not in ("jog",) and len(arguments) > 1:
        arguments = [*arguments, "--results", results]
    assert says in refused(arguments, capsys)
    assert not (results / "trials").exists() or not list((results / "trials").iterdir())
    assert not (results / "studies").exists()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ("design=one_factor('toy', {'speed': [1]})", "unknown factor of toy 'speed'; there are: level, mode, trouble"),
        ("design=one_factor('toy', {'level': [7.0]})", "toy.level = 7.0 is outside its domain: a number from 0 to 1"),
        ("design=one_factor('toy', {'level': [0.5]})", "'level=0.5' of toy is the same configuration as 'baseline'"),
        ("design=one_factor('toy', {'level': []})", "the design over toy is empty"),
        ("design=one_factor('toy', {'mode': ['same']}), seeds=1", "paired tests need at least 2"),
        ("design=one_factor('toy', {'mode': ['same']}), seeds=4", "cannot reach alpha 0.05"),
        ("design=one_factor('toy', {'mode': ['same']}), margin=-1.0", "margin = -1.0"),
        ("design=one_factor('toy', {'mode': ['same']}), margin=None", "margin is missing; state below which"),
        ("design=one_factor('toy', {'mode': ['same']}), beats_chance_by=-0.1", "beats_chance_by = -0.1"),
        ("design=one_factor('toy', {'mode': ['same']}), alpha=2.0", "alpha = 2.0"),
        ("design=one_factor('toy', {'mode': ['same']}), protocol='half'", "unknown protocol of Study 'half'"),
        (
            "design=one_factor('toy', {'mode': ['same']}), rivals=(one_factor('toy', {'level': [0.1]}),)",
            "arms 'toy baseline' and 'baseline' are the same configuration",
        ),
        ("design=one_factor('notoy', {'mode': ['same']})", "unknown method 'notoy'"),
        ("desing=3", "does not import"),
    ],
)
def test_a_wrong_study_is_refused_before_anything_is_written(fields, says, capsys, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(STUDY.format(fields=fields))
    line = refused(["run", path, "--plugin", TOY, "--results", tmp_path / "results"], capsys)
    assert says in line
    assert not (tmp_path / "results").exists()


def test_a_file_without_a_study_is_named(capsys, tmp_path):
    (tmp_path / "empty.py").write_text("")
    assert "defines no STUDY" in refused(["run", tmp_path / "empty.py"], capsys)


def test_a_results_folder_that_is_a_file_is_named(capsys, tmp_path):
    (tmp_path / "results").write_text("")
    path = tmp_path / "mine.py"
    path.write_text(STUDY.format(fields="design=one_factor('toy', {'mode': ['same']})"))
    line = refused(["run", path, "--plugin", TOY, "--results", tmp_path / "results", "--address", "inline"], capsys)
    assert str(tmp_path / "results") in line


LONG = "n" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", f"{LONG}.py"],
        ["plan", "quickstart", "--plugin", LONG],
        ["plan", "quickstart", "--results", LONG],
        ["run", "quickstart", "--results", LONG],
        ["merge", LONG],
        ["serve", "--results", LONG],
        ["new", "study", LONG],
        ["plan", "quickstart", "--set", f"dataset={LONG}.npy:clusters=2,name=x"],
        ["plan", "quickstart", "--plugin", "loop"],
        ["plan", "quickstart", "--plugin", "file/below"],
    ],
)
def test_a_path_that_no_file_system_takes_is_one_line(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    where = ["--results", "results"] if arguments[0] in ("plan", "merge") and "--results" not in arguments else []
    refused([*arguments, *where], capsys)


def test_importing_the_engine_loads_neither_torch_nor_ray():
    import subprocess
    import sys

    code = "import orchestrator, sys; assert not {'torch', 'ray', 'pandas'} & set(sys.modules)"
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("can't start new thread"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError("std::bad_alloc"),
        ImportError("libtorch.so: failed to map segment from shared object"),
    ],
)
def test_what_a_process_has_no_room_for_is_said_in_one_line(monkeypatch, capsys, error):
    def no_room(arguments):
        raise error

    monkeypatch.setattr(commands.app, "run", no_room)
    line = refused(["studies"], capsys, status=1)
    assert "memory or threads ran out in this process" in line


def test_another_runtime_error_is_no_want_of_memory(monkeypatch):
    def broken(arguments):
        raise RuntimeError("a list changed size")

    monkeypatch.setattr(commands.app, "run", broken)
    with pytest.raises(RuntimeError, match="a list changed size"):
        main(["studies"])


def test_a_plan_that_its_run_will_refuse_is_shown_and_then_refused(capsys, tmp_path):
    with pytest.raises(SystemExit) as left:
        main(["plan", "quickstart", "--set", "seeds=3", "--results", str(tmp_path)])
    said = capsys.readouterr()
    assert left.value.code == 2
    assert "Smallest corrected p that 3 seeds" in said.out
    assert "cannot reach alpha" in said.err
    assert said.err.count("\n") == 1
