"""What a reader sees before touching anything: the question, the answer, and the picture of effects with both parts."""

import pytest

pytestmark = pytest.mark.browser
MOST_ROWS = 4
"""Rows of the picture that must be on the first screen, if there are as many."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_every_study_has_question_answer_and_picture_on_its_first_screen(opened, first_screens, size, scheme):
    missed = []
    for name, path in first_screens.items():
        page = opened(path, size, scheme)
        n_rows = page.page.locator("#forest tr[data-key]").count()
        rows = [
            page.within("#forest tr[data-key] td.plot svg.effects", place) for place in range(min(MOST_ROWS, n_rows))
        ]
        if not (page.within("h1") and page.within("#short") and page.within("#forest .axis") and rows and all(rows)):
            missed.append(name)
        if page.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            missed.append(f"{name} scrolls sideways")
        if name in ("quickstart", "search_entropy"):
            page.keep(f"{name}-{size}-{scheme}")
        page.page.close()
    assert missed == []


def test_the_picture_has_both_parts(opened, first_screens):
    page = opened(first_screens["quickstart"]).page
    row = page.locator("#forest tr", has_text="fairness=none").first
    assert row.locator("td.works").inner_text() == "0 v 12 of 12"
    other = page.locator("#forest tr", has_text="loss=forward").last
    assert other.locator("circle").count() == 12 and "[" in other.locator("td.number").inner_text()


def test_without_scripts_everything_is_there(opened, first_screens):
    page = opened(first_screens["quickstart"], java_script_enabled=False)
    assert page.within("#short") and page.within("#forest .axis")
    assert not page.page.locator(".scripted").first.is_visible()
    page.page.locator("#forest a").first.click()
    assert page.page.url.endswith("#contrast-0") and page.page.locator("#contrast-0").is_visible()


def test_on_paper_it_is_light_and_without_buttons(opened, first_screens):
    page = opened(first_screens["quickstart"], "wide", "dark").page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("header.bar").is_visible() and not page.locator("#metric").is_visible()
    assert page.locator("#forest").is_visible()
    assert not page.locator("#all-trials").is_visible() and page.locator("#trials .paper").is_visible()
