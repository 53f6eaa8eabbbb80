"""Reports of all studies where nothing changed: they are kept, nothing is loaded, and any change makes them again."""

import dataclasses
import shutil
import subprocess
import sys

import pytest

from analysis.pages import index, stamp, study_page, unchanged
from orchestrator.cli import answer_text


@pytest.fixture(scope="module")
def made(synthetic, tmp_path_factory):
    """A results folder and its reports, without figures, which take seconds."""
    place = tmp_path_factory.mktemp("made")
    shutil.copytree(synthetic.results, place / "results")

    def page(parts, folder, *, png):
        (folder / "report.html").write_text("page")
        return [folder / "report.html"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_page, "write", page)
        patch.setattr("analysis.pages.family.across_sections", lambda studies: [])
        found = index.build(place / "results", place / "out", notebook=False)
    return place, found


@pytest.fixture
def place(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "made")
    return tmp_path / "made"


def kept(place, **options):
    return unchanged.kept(place / "results", place / "out", **{"notebook": False, "words": None, **options})


def test_what_was_made_is_told_again_as_it_was(made, place, tmp_path):
    found = made[1]
    again = kept(place, words=tmp_path / "words.md")
    assert [(line.name, line.exploratory, line.answer) for line in again.lines] == [
        (line.name, line.exploratory, line.answer) for line in found.lines
    ]
    assert again.summary == found.summary
    assert again.paths == {"index": place / "out" / "index.html", "answers": place / "out" / "ANSWERS.md"}
    assert again.as_json.keys() == dataclasses.asdict(found).keys()
    assert (tmp_path / "words.md").read_bytes() == (place / "out" / "ANSWERS.md").read_bytes()


def test_a_terminal_is_told_the_same_again(made, place, capsys):
    answer_text.index_text(dataclasses.replace(made[1], paths={}))
    first = capsys.readouterr().out
    answer_text.index_text(dataclasses.replace(kept(place), paths={}))
    assert capsys.readouterr().out == first
    assert made[1].lines[0].short in " ".join(first.split())


@pytest.mark.parametrize(
    "name",
    [
        "results/studies/synthetic/plan.parquet",
        "results/studies/synthetic/study.json",
        "out/index.html",
        "out/ANSWERS.md",
        "out/index.lines.json",
        "out/studies/synthetic/report.html",
        "out/studies/synthetic/report.json",
        "out/studies/synthetic/tables/arms.csv",
    ],
)
def test_a_file_that_is_another_now_is_noticed(place, name):
    with (place / name).open("ab") as file:
        file.write(b" ")
    assert kept(place) is None


@pytest.mark.parametrize("change", ["a new batch", "a batch less", "a look", "a retraction", "a page less"])
def test_a_file_more_or_less_is_noticed(place, change):
    batch = next((place / "results" / "trials").glob("*.parquet"))
    if change == "a new batch":
        shutil.copy(batch, batch.with_name("new.parquet"))
    elif change == "a batch less":
        batch.unlink()
    elif change == "a look":
        (place / "results/studies/synthetic/looks.jsonl").write_text("{}\n")
    elif change == "a retraction":
        (place / "results/retracted.jsonl").write_text("{}\n")
    else:
        (place / "out/studies/synthetic/report.html").unlink()
    assert kept(place) is None


def test_other_code_or_notebooks_that_are_wanted_make_them_again(place, monkeypatch):
    assert kept(place) is not None
    assert kept(place, notebook=True) is None
    monkeypatch.setattr(stamp, "code_of_analysis", lambda: "other")
    assert kept(place) is None


def test_a_ledger_that_cannot_be_read_as_it_is_keeps_nothing(place):
    (place / "results" / "trials" / "link.parquet").symlink_to(place / "out" / "index.html")
    assert unchanged.inputs(place / "results") == ""
    assert kept(place) is None


def test_to_look_takes_neither_pandas_nor_matplotlib():
    heavy = ("pandas", "matplotlib", "scipy")
    code = f"import sys, analysis.pages.unchanged; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
