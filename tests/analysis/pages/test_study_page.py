"""The page of a study whose every text was written by a stranger shows it and makes nothing of it."""

import copy
import json
import re
from html.parser import HTMLParser

import pytest

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.pages import study_page
from analysis.pages.parts import parts_of

EVIL = "</script><img src=x onerror=alert(1)>&\"'`"


class Elements(HTMLParser):
    """Names and attributes of all elements."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def study(synthetic):
    return study_view.load(synthetic.results, synthetic.name)


@pytest.fixture(scope="module")
def page(study):
    return study_page.render_page(parts_of(study), [], [])


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_question_answer_and_effects_come_before_everything_else(page, study):
    places = [page.index(text) for text in (study.record["question"] + "</h1>", 'id="short"', 'id="forest"', "<h2>")]
    assert places == sorted(places)


def test_the_picture_has_a_row_for_every_contrast_and_each_row_leads_to_its_sentence(page, study):
    rows = re.findall(r'<tr data-key="(contrast-\d+)"', page)
    assert sorted(rows) == sorted(f"contrast-{place}" for place in range(len(study.record["contrasts"])))
    assert all(f'<li id="{row}">' in page and f'href="#{row}"' in page for row in rows)


def test_the_page_knows_every_trial_its_curve_and_the_command_that_trains_it_again(page, study):
    data = data_of(page)
    assert data["trials"]["id"] == study.rows["trial_id"].tolist()
    assert data["trials"]["again"]["complete"] == "orchestrate verify synthetic --trial {trial}"
    complete = study.rows.loc[study.rows["state"] == "complete", "trial_id"]
    assert set(data["curves"]["ids"]) == set(complete)


def test_texts_of_strangers_add_no_element_to_the_page(study):
    record = copy.deepcopy(dict(study.record))
    record |= {"question": EVIL, "docstring": f"{EVIL}\n\n`{EVIL}`", "paper": EVIL, "command": EVIL, "tier": EVIL}
    plain = study_view.StudyView(study.name, study.results, {**study.record}, study.rows)
    own = study_view.StudyView(study.name, study.results, record, study.rows.assign(error=EVIL))
    known, found = (Elements(study_page.render_page(parts_of(one), [], [])).found for one in (plain, own))
    names = [tag for tag, _ in found]
    assert names.count("script") == [tag for tag, _ in known].count("script") and "img" not in names
    assert not any(name.startswith("on") for _, attributes in found for name in attributes)
    assert data_of(study_page.render_page(parts_of(own), [], []))["trials"]["errors"]


def test_numbers_at_the_head_are_those_of_the_ledger(page, study):
    once = study.rows.drop_duplicates("trial_id")
    assert f"<b>{len(once)}</b> trials" in page and f"<b>{int(once['collapsed'].sum())}</b> collapsed" in page
    assert "<b>1 failed, 1 missing</b>" in page


def test_the_card_of_a_notebook_has_question_answer_and_every_contrast_are_there_and_no_link_to_nowhere(synthetic):
    parts = parts_of(study_view.load(synthetic.results, synthetic.name))
    shown = study_page.card(parts)
    assert parts.study.record["question"] in shown and parts.short_answer in shown
    assert shown.count("<tr data-key=") == len(parts.found) and "href" not in shown and " id=" not in shown


def test_its_look_holds_within_it_alone(synthetic):
    style = study_page.card(parts_of(study_view.load(synthetic.results, synthetic.name))).partition("</style>")[0]
    outside = []
    depth, rule = 0, ""
    for sign in style.removeprefix("<style>"):
        if sign == "{":
            outside += [rule.strip()] if depth == 0 else []
            depth, rule = depth + 1, ""
        elif sign == "}":
            depth, rule = depth - 1, ""
        else:
            rule += sign
    assert depth == 0 and outside and all(one == ".orchestrate-card" for one in outside)


def test_texts_of_a_stranger_are_only_text(synthetic):
    study = study_view.load(synthetic.results, synthetic.name)
    record = copy.deepcopy(dict(study.record)) | {"question": "<script>alert(1)</script>"}
    shown = study_page.card(parts_of(StudyView(study.name, study.results, record, study.rows)))
    assert "<script" not in shown and "&lt;script" in shown
