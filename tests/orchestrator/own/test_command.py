"""What a command line declares is read from its text and its files; nothing is run."""

from __future__ import annotations

import pytest

from orchestrator.errors import RequestError, UnknownNameError
from orchestrator.knobs import Choice, Float, Int, ListOf, knob
from orchestrator.own import command
from orchestrator.own.declared import declaration_of, loading
from orchestrator.own.template import filled

SCRIPT = """
import argparse
from part import SCALE
parser = argparse.ArgumentParser()
parser.add_argument("--weight-decay", type=float, default=0.25)
parser.add_argument("--balance", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--seed", type=int)
"""

DECAY = Float(0.0, 1.0)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "part.py").write_text("SCALE = 1\n")
    (tmp_path / "points.csv").write_text("1,2\n")
    with loading(tmp_path / "study.py"):
        yield tmp_path


def words(name, knobs, seed=7):
    places = {"seed": seed, "n_epochs": 3, "dataset": "own_data"}
    return filled(declaration_of(name).asks, knobs, places).words


def test_defaults_and_spellings_are_those_of_argparse(folder):
    mine = command("python train.py", knobs={"weight_decay": DECAY, "balance": Choice(True, False)})
    assert mine == "train"
    assert {name: one.default for name, one in mine.declared.knobs.items()} == {"weight_decay": 0.25, "balance": True}
    assert words(mine, {"weight_decay": 0.5, "balance": False}) == [
        *("python", "train.py", "--weight-decay", "0.5", "--no-balance", "--seed", "7")
    ]


def test_a_switch_that_stores_false_is_passed_where_its_value_is_false(folder):
    text = 'p.add_argument("--no-sharpen", action="store_false", dest="sharpen")\np.add_argument("--seed")\n'
    (folder / "parts.py").write_text(text)
    by_value = command("python parts.py", knobs={"sharpen": Choice(True, False)})
    assert words(by_value, {"sharpen": True})[2:-2] == []
    assert words(by_value, {"sharpen": False})[2:-2] == ["--no-sharpen"]
    by_option = command("python parts.py", knobs={"no_sharpen": Choice(True, False)})
    assert by_value.declared.knobs["sharpen"].default is not by_option.declared.knobs["no_sharpen"].default
    assert words(by_option, {"no_sharpen": True})[2:-2] == ["--no-sharpen"]
    assert words(by_option, {"no_sharpen": False})[2:-2] == []


def test_lists_are_passed_as_the_script_takes_them(folder):
    text = 'p.add_argument("--widths", nargs="+", default=[8])\np.add_argument("--view", action="append")\n'
    (folder / "lists.py").write_text(text)
    lists = {"widths": ListOf(Int(1, 99)), "view": knob((2,), ListOf(Int(1, 99)))}
    mine = command("python lists.py", knobs=lists, seed="")
    given = words(mine, {"widths": (64, 32), "view": (1, 2)})
    assert given[2:] == ["--widths", "64", "32", "--view", "1", "--view", "2"]


def test_places_of_a_line_take_knobs_and_the_seed(folder):
    line = "python train.py --weight-decay={weight_decay} --seed {seed}"
    mine = command(line, knobs={"weight_decay": DECAY})
    assert words(mine, {"weight_decay": 0.5}) == ["python", "train.py", "--weight-decay=0.5", "--seed", "7"]


def test_overrides_are_written_as_hydra_reads_them(folder):
    knobs = {"lr": knob(0.1, Float(0, 1)), "widths": knob((64,), Choice((64,), (64, 32)))}
    mine = command("python train.py", knobs=knobs, form="overrides", seed="seed")
    assert words(mine, {"lr": 0.2, "widths": (64, 32)})[2:] == ["lr=0.2", "widths=[64,32]", "seed=7"]


def test_variables_are_named_in_capitals(folder):
    mine = command("X=1 python train.py", knobs={"lr": knob(0.1, Float(0, 1))}, form="environment", seed="seed")
    found = filled(mine.declared.asks, {"lr": 0.2}, {"seed": 7, "n_epochs": 3, "dataset": "own_data"})
    assert found.environment == {"X": "1", "LR": "0.2", "SEED": "7"}


def test_the_code_is_the_script_and_what_it_imports_and_no_more(folder):
    mine = command("python train.py", knobs={"weight_decay": DECAY}).declared
    assert sorted(mine.code) == ["part.py", "train.py"]
    before = mine.code_digest()
    (folder / "other.py").write_text("")
    assert mine.code_digest() == before
    (folder / "part.py").write_text("SCALE = 2\n")
    assert mine.code_digest() != before


def test_other_data_are_another_trial_and_other_code_is_not(folder):
    mine = command("python train.py", knobs={"weight_decay": DECAY}, files={"points": "points.csv"}).declared
    before = mine.identity
    (folder / "part.py").write_text("SCALE = 2\n")
    assert mine.identity == before
    (folder / "points.csv").write_text("1,3\n")
    assert mine.identity != before


def test_the_same_in_another_folder_is_the_same(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere")
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    here = command("python train.py", knobs={"weight_decay": DECAY}).declared
    with loading(other / "study.py"):
        there = command("python train.py", knobs={"weight_decay": DECAY}).declared
    assert (here.identity, here.code_digest()) == (there.identity, there.code_digest())


@pytest.mark.parametrize(
    ("line", "options", "says"),
    [
        ("python train.py", {"knobs": {"decay": knob(0.1, DECAY)}}, "unknown option of command train '--decay'"),
        ("python train.py {dta}", {"knobs": {}}, "unknown place in command train 'dta'; the nearest: data"),
        ("python train.py", {"knobs": {}, "seed": "--rng"}, "the script has no option --rng"),
        ("python train.py", {"knobs": {}, "n_epoch": 3}, "unknown option of command 'n_epoch'; the nearest: n_epochs"),
        ("python train.py", {"knobs": {}, "gpus": 1.5}, r"gpus = 1.5 is not allowed"),
        ("python train.py", {"knobs": {"seed": DECAY}}, "a knob cannot be named 'seed'"),
        ("python train.py", {"knobs": {"balance": DECAY}}, "the default of knob 'balance', True, is outside"),
        ("python 'train.py", {"knobs": {}}, "No closing quotation"),
        ("", {"knobs": {}}, "is no command line|not allowed"),
        (None, {"knobs": {}}, "command: line = None is not allowed"),
        ("python train.py", {"knobs": ["lr"]}, r"knobs = \['lr'\] is not allowed"),
        ("python train.py", {"knobs": 1}, "knobs = 1 is not allowed"),
        ("python train.py", {"knobs": {}, "metrics_file": "{outt}/m.json"}, "place in metrics_file of .* 'outt'"),
        ("python train.py", {"knobs": {}, "metrics_file": "{data}/m.json"}, "place in metrics_file of .* 'data'"),
        ("python train.py", {"knobs": {}, "files": {"x": "~nobody_of_this_name/x"}}, "which is not there"),
        ("python train.py", {"knobs": {}, "files": {"x": "a" * 300}}, "which is not there"),
        ("python train.py", {"knobs": {}, "code": ("**x",)}, "code: there is no file"),
        ("python train.py", {"knobs": {}, "files": {"x": "absent.npy"}}, "which is not there"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(folder, line, options, says):
    with pytest.raises((RequestError, UnknownNameError), match=says) as caught:
        command(line, **options)
    assert "\n" not in str(caught.value)


def test_a_long_word_of_a_line_is_a_word_and_no_file(folder):
    mine = command(f"python train.py '{'a' * 300}' -m {'b' * 300}", knobs={"weight_decay": DECAY})
    assert list(mine.declared.data) == []


def test_further_code_may_lie_anywhere(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("[odd] folder") / "lib.jl"
    elsewhere.write_text("1\n")
    mine = command("python train.py", knobs={"weight_decay": DECAY}, code=(str(elsewhere).replace("[odd]", "[[]odd]"),))
    assert str(elsewhere) in mine.declared.code.values()


def test_places_of_a_file_of_metrics_are_those_of_the_line(folder):
    mine = command("python train.py {data}", knobs={"weight_decay": DECAY}, metrics_file="{data}.{weight_decay}.json")
    assert mine.declared.asks["metrics_file"] == "{data}.{weight_decay}.json"


def test_the_number_of_clusters_is_of_points_that_a_line_takes_unless_it_is_a_knob(folder):
    with pytest.raises(RequestError, match=r"\{n_clusters\} is of the study's points: its line takes \{data\} too"):
        command("python train.py {n_clusters}", knobs={})
    mine = command("python train.py {n_clusters}", knobs={"n_clusters": knob(3, Int(2, 9))})
    assert words(mine, {"n_clusters": 4})[2] == "4"
