from __future__ import annotations

import dataclasses
import json
import re
import shutil

import pytest

from analysis.data import study_view
from analysis.figures import finite_designs, searches, sensitivity
from analysis.pages import report, study_page
from analysis.pages.parts import parts_of
from analysis.tables import arm_tables
from analysis.verdicts import verdicts
from orchestrator.errors import RequestError


@pytest.fixture(scope="module")
def results(synthetic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "results"
    shutil.copytree(synthetic.results, folder)
    return folder


@pytest.fixture(scope="module")
def answer(results):
    """Built with one figure only, for speed; `test_the_whole_report...` builds all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            finite_designs,
            "study_figures",
            lambda study, rows, found, epochs: [finite_designs.arms_figure(study, rows)],
        )
        patch.setattr(searches, "figures_of_searches", lambda study: [])
        patch.setattr(sensitivity, "sections", lambda study, found, known: [])
        return report.build(results, "synthetic", notebook=False)


@pytest.fixture(scope="module")
def page(answer):
    return answer.paths["report"].read_text(encoding="utf-8")


def test_the_files_are_where_they_are_said_to_be(answer, results):
    folder = results / "studies" / "synthetic"
    assert answer.paths["report"] == folder / "report.html" and not answer.reused
    assert {path.suffix for path in answer.paths["figures"].iterdir()} == {".svg"}
    assert sorted(path.name for path in answer.paths["tables"].iterdir()) == [
        f"{table}.{ending}" for table in ("arms", "contrasts") for ending in ("csv", "html", "tex")
    ]


def test_the_page_needs_no_other_file_and_no_network(page):
    sources = re.findall(r' (?:src|href)="([^"]*)"', page)
    assert sources and all(source.startswith(("data:", "#")) for source in sources)
    own = re.sub(r'"data:image/[^"]*"', "", page)  # a figure's clips are places in the figure
    assert "<script src" not in own and "@import" not in own and "url(" not in own


def test_every_sentence_stands_on_the_page_in_one_size(answer, page):
    text = page.replace("&#39;", "'").replace("&gt;", ">").replace("&lt;", "<")
    for sentence in (*answer.sentences, *answer.remarks, *answer.optimism, answer.tally, answer.summary):
        assert sentence in text
    assert not re.search(r"\.(inconclusive|effect|equivalent)\s*\{[^}]*font", page)


def test_failures_and_missing_trials_are_named(page):
    assert "norm_weight=0: 1 missing of 12 trials (seed 5)." in page and "loss is NaN" in page


def test_a_member_that_its_bundle_changed_is_named_first(answer, page):
    assert answer.remarks[0].startswith("Training together changed numbers of entropy on digits: trial 01234567 in a")
    assert "metric.nmi after epoch 2" in answer.remarks[0] and "trained alone from then on" in answer.remarks[0]
    assert "<dt>members of bundles trained again alone</dt><dd>2, of which 1 gave the same numbers</dd>" in page


def test_the_answer_is_plain_data(answer):
    text = json.dumps(dataclasses.asdict(answer), default=str)
    assert json.loads(text)["words"].count("effect") == answer.words.count("effect")
    assert {len(row) for row in answer.rows} == {len(answer.head)}


def test_nothing_changed_means_the_files_are_kept_and_the_answer_is_the_same(answer, results):
    before = {path: path.stat().st_mtime_ns for path in (results / "studies").rglob("*")}
    again = report.build(results, "synthetic", notebook=False)
    assert again.reused and dataclasses.replace(again, reused=False) == answer
    assert before == {path: path.stat().st_mtime_ns for path in (results / "studies").rglob("*")}


def test_a_new_row_makes_the_files_again(synthetic, train_missing, tmp_path):
    shutil.copytree(synthetic.results, tmp_path / "r")
    study = study_view.load(tmp_path / "r", "synthetic")
    before = report.provenance.content_digest(study)
    train_missing(tmp_path / "r")
    study = study_view.load(tmp_path / "r", "synthetic")
    assert report.provenance.content_digest(study) != before
    assert not any("norm_weight" in one for one in verdicts.missing_sentences(study))


def test_an_interrupted_build_does_not_pass_for_a_finished_one(answer, results):
    stamp = results / "studies" / "synthetic" / report.STAMP
    text = stamp.read_text()
    assert report.build(results, "synthetic", notebook=False).reused
    stamp.unlink()
    try:
        assert not report.build(results, "synthetic", notebook=False).reused
    finally:
        stamp.write_text(text)


def test_a_study_that_tests_nothing_is_described(synthetic, tmp_path):
    study = study_view.load(synthetic.results, "synthetic")
    record = {**study.record, "contrasts": [], "searches": []}
    bare = study_view.StudyView("bare", study.results, record, study_view.confirm_rows(study))
    parts = parts_of(bare)
    assert parts.found == [] and [row.verdict for row in parts.rows] == [None] * 8
    assert "describes and tests nothing" in study_page.render_page(parts, [], [])
    arm_tables.write(parts.rows, bare, tmp_path)


def test_an_unknown_study_is_refused(results):
    with pytest.raises(RequestError, match="nonsense"):
        report.build(results, "nonsense", notebook=False)


@pytest.mark.slow
@pytest.mark.sample
def test_the_whole_report_has_every_figure_and_an_executed_notebook(synthetic, tmp_path):
    shutil.copytree(synthetic.results, tmp_path / "r")
    found = report.build(tmp_path / "r", "synthetic")
    names = {path.stem for path in found.paths["figures"].iterdir()}
    assert names == {"effects", "arms", "levels_fairness_weight", "curves_nmi", "collapse", "search_0", "importance_0",
                     "collapse_map_0"}  # fmt: skip
    assert found.paths["notebook"].is_file() and report.build(tmp_path / "r", "synthetic").reused
