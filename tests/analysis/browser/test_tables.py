"""Tables are sorted, filtered and copied; what is copied is safe where it is pasted."""

import csv
import io

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def page(opened, planted):
    return opened(planted, permissions=["clipboard-read", "clipboard-write"]).page


def column(page, number):
    return page.locator(f"#arms tbody tr:visible td:nth-child({number})").all_inner_texts()


def copied(page, kind, place):
    page.locator(f"[data-for={place}] [data-copy={kind}]").click()
    page.locator(f"[data-for={place}] [role=status]", has_text="Copied").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def test_a_heading_sorts_by_number_both_ways_and_says_so(page):
    heading = page.locator("#arms th").nth(1)
    for direction in ("ascending", "descending"):
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == direction
        values = [float(text.split(" ")[0]) for text in column(page, 2)]
        assert len(values) == 8 and values == sorted(values, reverse=direction == "descending")


def test_a_filter_keeps_the_rows_that_have_all_words(page):
    page.locator("[data-for=arms] input").fill("LOSS effect")
    assert column(page, 1) == ["loss=forward"]


def test_copies_hold_what_is_shown_and_no_formula_or_command(page):
    page.locator("[data-for=arms] input").fill("norm_weight")
    rows = list(csv.reader(io.StringIO(copied(page, "csv", "arms"))))
    assert len(rows) == 2 and rows[1][0].startswith("norm_weight=0 </script><img")
    latex = copied(page, "latex", "arms")
    assert "\\$\\{window.taken=1\\}" in latex and "\\toprule" in latex


def test_a_cell_that_a_spreadsheet_would_compute_is_text(page):
    cells = page.evaluate("page.asCsv([['=1+1', '-2', '+cmd', '@x', 'a,b', '−0.5']])").strip()
    assert cells == "'=1+1,-2,'+cmd,'@x,\"a,b\",-0.5"


def test_an_address_opens_a_trial_and_closing_leaves_the_page_where_it_was(opened, quickstart):
    page = opened(quickstart).page
    page.locator("#forest a").first.click()
    page.locator("#drawer a").nth(3).click()
    address = page.url
    assert "#trial-" in address
    again = opened(quickstart, place=address[address.index("#") :]).page
    assert again.locator("#drawer-title").inner_text() == page.locator("#drawer-title").inner_text()
    again.keyboard.press("Escape")
    assert not again.locator("#drawer").is_visible() and "#" not in again.url
    assert again.evaluate("scrollY") == 0


BEGINS = "start => location.hash.startsWith(start)"


def test_how_tables_are_sorted_and_filtered_stands_in_the_address_and_opens_again(opened, quickstart):
    page = opened(quickstart).page
    heading = page.locator("#arms th button").nth(1)
    heading.click()
    heading.click()
    page.locator("[data-for=arms] input").fill("loss")
    page.locator("#trial-state").select_option("collapsed")
    page.locator("#trial-filter").fill("search")
    page.locator("#all-trials th button", has_text="seed").click()
    page.locator("#metric").select_option("acc")
    page.locator("nav a", has_text="Table").click()
    page.wait_for_function(BEGINS, arg="#table?")  # what is chosen is written behind the place once it has changed
    address = page.url
    assert "#table?" in address and "arms.filter=loss" in address and "trials.show=collapsed" in address
    again = opened(quickstart, place=address[address.index("#") :])
    assert again.within("#table h2")
    for selector in ("#arms tbody tr:visible", "#all-trials tbody tr", "#forest td.number"):
        assert again.page.locator(selector).all_inner_texts() == page.locator(selector).all_inner_texts()
    assert again.page.locator("#arms th").nth(1).get_attribute("aria-sort") == "descending"
    assert again.page.locator("#all-trials th[aria-sort=ascending]").inner_text().startswith("seed")
    assert again.page.locator("#metric").input_value() == "acc"
    assert again.page.url == address
    again.page.locator("#forest a").first.click()
    again.page.wait_for_function(BEGINS, arg="#contrast-0?")
    assert "#contrast-0?" in again.page.url and "arms.filter=loss" in again.page.url
    again.page.keyboard.press("Escape")
    again.page.wait_for_function(BEGINS, arg="#?")
    assert "#?" in again.page.url and "arms.filter=loss" in again.page.url


def test_another_address_in_the_same_window_changes_the_tables_and_an_odd_one_changes_nothing(opened, quickstart, evil):
    page = opened(quickstart).page
    n_rows, order = page.locator("#arms tbody tr:visible").count(), column(page, 1)
    goto = "address => { location.hash = address; }"
    page.evaluate(goto, "#table?arms.filter=loss&arms.sort=arm")
    page.locator("[data-for=arms] input").evaluate("input => input.value === 'loss'")
    page.wait_for_function("() => document.querySelectorAll('#arms tbody tr:not([hidden])').length < 5")
    page.evaluate(goto, "#table?arms.sort=-nothing&trials.show=odd&trials.sort=" + evil + "&metric=%E0%A4%A")
    page.wait_for_function("() => document.querySelectorAll('#arms tbody tr:not([hidden])').length > 5")
    assert page.locator("#arms tbody tr:visible").count() == n_rows and column(page, 1) == order
    assert page.locator("#trial-state").input_value() == "" and page.locator("#all-trials th[aria-sort]").count() == 0
    assert page.evaluate("window.taken") is None


def test_the_picture_is_copied_as_a_file_of_its_own(opened, quickstart):
    from xml.etree import ElementTree

    page = opened(quickstart, permissions=["clipboard-read", "clipboard-write"]).page
    page.locator("[data-picture=svg]").click()
    page.locator("#metric-note", has_text="Copied").wait_for()
    whole = ElementTree.fromstring(page.evaluate("navigator.clipboard.readText()"))
    assert len(whole.findall(".//{*}circle")) > 50 and whole.find("{*}text").text.startswith("fairness=none")
    with page.expect_download() as saved:
        page.locator("[data-picture=png]").click()
    assert saved.value.suggested_filename == "quickstart-effects.png"


def test_the_list_of_studies_is_filtered_and_its_filter_stands_in_the_address(opened, overview):
    page = opened(overview).page
    assert page.locator("tr[data-study]:visible").count() == 1
    page.locator("#by-knob").select_option("fairness_weight")
    assert "knob=fairness_weight" in page.url and page.locator("tr[data-study]:visible").count() == 1
    page.locator("#by-words").fill("nothing has this")
    assert page.locator("tr[data-study]:visible").count() == 0
