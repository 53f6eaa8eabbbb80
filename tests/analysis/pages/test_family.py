"""A family's notebook: answers with what would change them, the paper's tables, figures; executed from the ledger."""

import json

import numpy as np
import pytest
import views

from analysis.across.families import FAMILIES, family_of
from analysis.data import study_view
from analysis.pages import family, notebook, paper_tables
from analysis.published import numbers
from analysis.verdicts import verdicts
from analysis.verdicts.next_seeds import prospects
from orchestrator.inference.power import seeds_to_detect


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


@pytest.mark.parametrize("paper", [one.paper for one in FAMILIES if one.paper])
def test_every_published_number_of_a_paper_is_a_line_and_those_without_an_arm_are_not_run(paper):
    sections = paper_tables.paper_sections(paper, [])
    own = [one for one in numbers() if one.paper == paper]
    assert sum(section.table.count(paper_tables.NOT_RUN) for section in sections) == len(own)
    assert all("0 of its" in section.sentence for section in sections)


def test_an_arm_that_stands_beside_a_number_is_named_with_its_verdict(study, monkeypatch):
    from analysis.verdicts import reproduction

    target = next(one for one in numbers() if one.paper == "2301.11405")
    judged = reproduction.Judged("reproduced", 0.01, -0.01, 0.03, 0.01)
    beside = reproduction.Comparison(target, "baseline", "digits", 12, judged, (), "")
    monkeypatch.setattr(paper_tables, "comparisons", lambda _: [beside])
    text = " ".join(section.table for section in paper_tables.paper_sections("2301.11405", [study]))
    assert f"baseline of {study.name}, 12 seeds" in text
    assert '<td class="text">reproduced</td>' in text


def test_an_inconclusive_contrast_says_how_many_seeds_it_lacks():
    random = np.random.default_rng(0)
    arms = {"baseline": ("secu", "baseline"), "near": ("secu", "level"), "same": ("secu", "level")}
    base = 0.5 + 0.05 * random.standard_normal(12)
    values = {("baseline", "digits"): base, ("near", "digits"): base + 0.02 * random.standard_normal(12) + 0.01}
    values["same", "digits"] = base + 0.05 * np.resize([1.0, -1.0], 12) + 1e-9
    study = views.view_of_arms("open", arms, values)
    study.record["margin"] = 0.001
    study.record["contrasts"] = [
        {"name": f"{arm} vs baseline", "dataset": "digits", "weights": {arm: 1.0, "baseline": -1.0}}
        for arm in ("near", "same")
    ]
    found = verdicts.verdicts(study)
    assert [one.judgement.decision for one in found] == ["inconclusive"] * 2
    said = prospects(study, found)
    spread, size = found[0].judgement.descriptive.standard_deviation, abs(found[0].judgement.estimate)
    expected = seeds_to_detect(size, spread, 2, 0.05)
    assert any(text.startswith("near vs baseline: ") and f"{expected} seeds would show it" in text for text in said)
    assert any(text.startswith("same vs baseline: ") and "too small beside its spread" in text for text in said)


def test_the_last_word_names_the_data_and_the_tier(study):
    assert "about digits at the local tier" in prospects(study, [])[-1]


def test_a_baseline_that_does_not_work_comes_first(study):
    record = {**study.record, "chance": {"digits": {"nmi": 0.9}}, "beats_chance_by": 0.1}
    lost = study_view.StudyView(study.name, study.results, record, study.rows)
    assert prospects(lost, [])[0].startswith(
        "No difference counts before this is mended: entropy on digits does not work"
    )


@pytest.mark.slow
def test_every_verdict_stands_in_the_sections_of_its_study(study):
    sections = list(family.study_sections(study))
    for verdict in verdicts.verdicts(study):
        assert verdict.sentence in sections[0].sentence
    assert sections[-1].title == "What would change it"
    assert {"effects", "arms"} <= {drawing.key for drawing in sections[0].drawings}


def test_every_family_has_a_notebook_that_holds_no_logic():
    for one in FAMILIES:
        source = notebook.SOURCES.joinpath(f"{one.name}.py").read_text()
        assert 'tags=["parameters"]' in source
        assert not [line for line in source.splitlines() if line.startswith(("def ", "class ", "if "))]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["entropy", "across"])
def test_a_family_notebook_executes_from_the_ledger_alone(synthetic, tmp_path, name):
    record = json.loads((synthetic.results / "studies" / synthetic.name / "study.json").read_text())
    target = notebook.execute(name, tmp_path / f"{name}.ipynb", results=synthetic.results)
    cells = json.loads(target.read_text())["cells"]
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert (record["question"] in json.dumps(outputs)) == (name == family_of(record).name)
