"""No text of a stranger becomes an element or a script, no request leaves, and everyone can read the pages."""

import pytest

pytestmark = pytest.mark.browser


def test_texts_of_a_stranger_are_shown_and_nothing_comes_of_them(opened, planted, evil):
    page = opened(planted)
    assert page.page.locator("h1").inner_text() == evil
    arm = page.page.evaluate("page.data.trials.arms.findIndex(arm => arm.name.startsWith('norm_weight'))")
    for address in ("#contrast-1", "#arm-0", f"#arm-{arm}"):
        page.page.evaluate("address => { location.hash = address; }", address)
        page.page.locator("#drawer-title").wait_for()
    title = page.page.locator("#drawer-title", has_text="norm_weight")
    title.wait_for()
    assert evil in title.inner_text()
    page.page.locator("#drawer tbody a").first.click()
    assert page.page.evaluate("window.taken") is None
    assert page.page.locator("main img[src=x], main b:text-is('x')").count() == 0


def test_a_script_that_is_put_into_the_page_does_not_run(browser, planted, tmp_path):
    text = planted.read_text().replace("<main", "<script>window.taken = 1</script><main", 1)
    (tmp_path / "changed.html").write_text(text)
    page = browser.new_page()
    page.goto((tmp_path / "changed.html").as_uri())
    assert page.evaluate("window.taken") is None and page.locator("#all-trials td").count() > 0
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("place", ["", "#contrast-1", "#arm-1", "index"])
def test_a_checker_of_accessibility_finds_nothing_serious(opened, quickstart, overview, place, size, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(overview if place == "index" else quickstart, size, scheme, place.replace("index", ""))
    if place.startswith("#"):
        page.page.locator("#drawer-title").wait_for()
    found = Axe().run(page.page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    page.keep(f"{place.strip('#') or 'report'}-{size}-{scheme}")
    assert [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"][-300:]) for one in serious
    ] == []
