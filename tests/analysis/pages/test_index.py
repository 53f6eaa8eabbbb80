"""All studies of a ledger: an index with every verdict, and an ANSWERS.md that is the same bytes each time."""

import shutil

import pytest

from analysis.data import study_view
from analysis.pages import answers, index, report, study_page
from orchestrator.errors import RequestError


@pytest.fixture(scope="module", autouse=True)
def without_figures():
    """Reports have a page without figures here: drawing them is tested elsewhere, and takes seconds."""

    def page(parts, folder, *, png):
        (folder / "report.html").write_text("")
        return [folder / "report.html"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_page, "write", page)
        patch.setattr("analysis.pages.family.across_sections", lambda studies: [])
        yield


@pytest.fixture(scope="module")
def made(synthetic, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return index.build(synthetic.results, out, notebook=False), out


def test_every_verdict_stands_in_the_answers_and_on_the_index_page(made, synthetic):
    found, out = made
    answer = report.build(synthetic.results, synthetic.name, notebook=False, out=out)
    words, page = (out / "ANSWERS.md").read_text(), (out / "index.html").read_text()
    assert answer.sentences
    for word, sentence in zip(answer.words, answer.sentences, strict=True):
        assert f"* **{word}**: {sentence}\n" in words
    assert page.count("<li>") == len(answer.sentences)
    assert f'href="studies/{synthetic.name}/report.html"' in page
    assert (out / "studies" / synthetic.name / "report.html").is_file()
    assert found.lines[0].answer == answer.tally
    assert f"**{answer.short}**" in words and f"<b>{answer.short}</b>" in page
    assert page.count("data-study=") == 1 and words.count(f"(#{synthetic.name})") == 1


def test_the_same_ledger_gives_the_same_bytes_wherever_it_lies(made, synthetic, tmp_path):
    _, out = made
    moved = tmp_path / "moved"
    shutil.copytree(synthetic.results, moved)
    shutil.copytree(out, tmp_path / "again")  # the reports are there already
    (tmp_path / "again" / "ANSWERS.md").unlink()
    index.build(moved, tmp_path / "again", notebook=False)
    assert (tmp_path / "again" / "ANSWERS.md").read_bytes() == (out / "ANSWERS.md").read_bytes()
    assert str(synthetic.results) not in (out / "ANSWERS.md").read_text()


def test_counts_are_those_of_the_ledger(made, synthetic):
    _, out = made
    study = study_view.load(synthetic.results, synthetic.name)
    once = study.rows.drop_duplicates("trial_id")
    words = (out / "ANSWERS.md").read_text()
    assert f"{len(once)} different trials: " in words
    assert f"{int((once['state'] == 'complete').sum())} complete" in words
    assert f"{int(once['collapsed'].sum())} collapsed" in words


def test_reading_leaves_a_committed_ledger_as_it_is(made, synthetic, tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    shutil.copytree(synthetic.results, kept)
    shutil.copytree(made[1], tmp_path / "answers")
    (kept / study_view.COMMITTED).write_text("{}")
    before = sorted(path.relative_to(kept) for path in kept.rglob("*"))
    monkeypatch.chdir(tmp_path)
    found = index.build(kept, notebook=False)
    assert sorted(path.relative_to(kept) for path in kept.rglob("*")) == before
    assert found.paths["answers"].parts[0] == "answers"


def test_a_folder_without_studies_is_refused_in_one_line(tmp_path):
    with pytest.raises(RequestError, match="no study was planned"):
        index.build(tmp_path, notebook=False)


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(synthetic, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(RequestError, match="name another folder: --out"):
        index.build(synthetic.results, blocked, notebook=False)


def test_an_exploratory_study_is_marked_and_counts_among_no_claims(made, synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    explored = study_view.StudyView(study.name, study.results, {**study.record, "exploratory": True}, study.rows)
    answer = report.build(synthetic.results, synthetic.name, notebook=False, out=made[1])
    words = answers.as_markdown([(explored, answer)])
    assert "exploratory: no claims" in words
    assert "The 0 contrasts of the confirmatory ones, where both work: none; how often they work: none." in words
