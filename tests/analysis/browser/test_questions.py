"""Questions that a stranger asks, each answered by a path of at most two clicks that is written down here."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(params=["wide", "narrow"])
def page(opened, quickstart, request):
    return opened(quickstart, request.param)


def clicked(page, *selectors):
    """Click at most twice."""
    assert len(selectors) <= 2
    for selector in selectors:
        page.page.locator(selector).first.click()
    return page.page


def shown(page, selector):
    found = page.locator(selector).first
    found.wait_for(state="visible")
    box, height = found.bounding_box(), page.viewport_size["height"]
    assert box is not None and box["y"] < height and box["y"] + box["height"] > 0, f"{selector} is off the screen"
    return found.inner_text()


def test_which_part_matters_most(page):
    assert shown(page.page, "#short").startswith("fairness=none works on 0 of 12 seeds")


def test_did_anything_collapse(page):
    clicked(page, ".tiles a:has-text('collapsed')")
    shown(page.page, "#all-trials")
    outcomes = page.page.locator("#all-trials tbody td:nth-child(4)").all_inner_texts()
    assert outcomes and set(outcomes) == {"collapsed"}


def test_what_did_it_cost(page):
    clicked(page, "nav a:has-text('Cost')")
    assert "seconds in all" in shown(page.page, "#cost table")


def test_which_seeds_failed(opened, planted):
    page = opened(planted)
    clicked(page, ".tiles a:has-text('failed')")
    assert "(seed 5)" in shown(page.page, "#failures") and "diverged" in page.page.locator("#failures").inner_text()


def test_how_did_one_seed_of_an_arm_train(page):
    found = clicked(page, "#forest a:has-text('update=epoch')", "#drawer tbody tr:nth-child(4) td:nth-child(3) a")
    assert "seed 3" in shown(found, "#drawer-title")
    shown(found, "#drawer .chart canvas")
    page.keep(f"trial-{found.viewport_size['width']}")


def test_which_config_had_an_arm(page):
    found = clicked(page, "nav a:has-text('Table')", "#arms a:has-text('loss=forward')")
    assert "loss=forward" in shown(found, "#drawer-title")
    assert found.locator("#drawer dl dt", has_text="fairness_weight").count() == 1


def test_which_command_trains_a_trial_again(page):
    found = clicked(page, "#forest a:has-text('kmeans')", "#drawer tbody td:nth-child(2) a")
    assert found.locator("#drawer pre").last.inner_text().startswith("orchestrate verify quickstart --trial ")


def test_what_does_another_metric_say(page):
    before = page.page.locator("#forest td.number").first.inner_text()
    page.page.locator("#metric").select_option("acc")
    assert page.page.locator("#forest td.number").first.inner_text() != before
    assert "described and not tested" in page.page.locator("#metric-note").inner_text()
    page.page.locator("#metric").select_option("nmi")
    assert page.page.locator("#forest td.number").first.inner_text() == before


def test_which_configuration_did_the_search_choose(page):
    clicked(page, "nav a:has-text('Search')")
    assert "chosen: number" in shown(page.page, "#search p")


def test_which_code_and_versions_made_it(page):
    clicked(page, "nav a:has-text('Provenance')")
    assert "torch" in shown(page.page, "#provenance dl")


def test_what_does_a_word_mean(page):
    clicked(page, "nav a:has-text('Glossary')")
    assert "effective number of clusters" in shown(page.page, "#glossary dl")


def test_the_way_to_a_trial_and_back_by_keyboard_alone(opened, quickstart):
    page = opened(quickstart).page

    def tab_to(found, most=60):
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.textContent") == found:
                return
        pytest.fail(f"no way to {found!r} by keyboard")

    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "To the answer"
    tab_to("norm_weight=0")
    page.keyboard.press("Enter")
    page.locator("#drawer-title", has_text="norm_weight=0").wait_for()
    value = page.locator("#drawer tbody td:nth-child(2) a").first.inner_text()
    tab_to(value)
    page.keyboard.press("Enter")
    page.locator("#drawer-title", has_text="seed").wait_for()
    tab_to("Copy the command")
    page.keyboard.press("Escape")
    assert not page.locator("#drawer").is_visible()
    assert page.evaluate("() => document.activeElement.textContent") == "norm_weight=0"
