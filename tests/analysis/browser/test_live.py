"""The live page in a browser: what fails, what a search has found, when one may look; nothing of a stranger runs."""

import json
import shutil
import socket
import threading
import time

import pytest

from analysis.live import server
from orchestrator.ledger import Ledger
from orchestrator.ledger.studies import read_study
from orchestrator.trial import FailureKind, TrialOutcome, TrialState

pytestmark = pytest.mark.browser
TOKEN = "a-token"


@pytest.fixture
def live(synthetic, tmp_path):
    """The address of a server over a folder, and the folder."""
    import uvicorn

    results = shutil.copytree(synthetic.results, tmp_path / "results")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(server.application(results, TOKEN, 0.05), log_level="error", timeout_graceful_shutdown=1)
    served = uvicorn.Server(config)
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listening]})
    thread.start()
    while not served.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/?token={TOKEN}", results
    served.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def followed(browser, live, shots):
    """Open the live page at a size and in a scheme; it must have nothing to complain of and ask only its own server."""
    contexts, complaints = [], []

    def open_page(width=1400, height=900, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        own = live[0].partition("?")[0]
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith((own, "data:")) else complaints.append(asked.url))
        page.goto(live[0])
        page.locator("#rows tr").first.wait_for(timeout=8_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def fail(results, error):
    """Append a second attempt of the failed trial, which fails with this text."""
    with Ledger(results, writable=True) as ledger:
        row = next(one for one in ledger.table().to_pylist() if one["state"] == "failed")
        spec = spec_of(row)
        assert spec.trial_id == row["trial_id"]
        ledger.append(
            [TrialOutcome(spec=spec, attempt=2, state=TrialState.FAILED, failure_kind=FailureKind.BUG, error=error)]
        )


def spec_of(row):
    from orchestrator.trial import TrialSpec

    names = ("method", "method_version", "dataset", "dataset_digest", "seed", "n_epochs")
    return TrialSpec(config=json.loads(row["config"]), **{name: row[name] for name in names})


def test_a_failure_opens_to_its_traceback_and_stays_open_when_news_come_and_is_only_text(followed, live, evil):
    page = followed()
    fail(live[1], f"Traceback\n  in step\nError: {evil}")
    entry = page.locator("#failed details", has_text="Error: ")
    entry.wait_for()
    entry.locator("summary").click()
    assert f"Error: {evil}" in entry.locator("pre").inner_text()
    before = page.locator("#state").get_attribute("data-news")
    with Ledger(live[1], writable=True) as ledger:
        ledger.append([])
        ledger.compact()
    page.wait_for_function(
        "before => document.getElementById('state').dataset.news > Number(before)", arg=before, timeout=20_000
    )
    assert entry.locator("pre").is_visible()
    assert page.evaluate("window.taken") is None and page.locator("main img").count() == 0


def test_a_search_shows_its_best_so_far_and_what_each_knob_has_to_do_with_it(followed, shots):
    page = followed()
    entry = page.locator("#searched details")
    assert "24 of 24 configurations" in entry.locator("summary").inner_text()
    if entry.get_attribute("open") is None:
        entry.locator("summary").click()
    assert entry.locator("svg.history circle").count() == 24 and entry.locator("svg.history path.best").count() == 1
    page.locator("#searched table th", has_text="fairness_weight").wait_for(timeout=20_000)
    first = page.locator("#searched table tr").first.inner_text()
    assert first.startswith("fairness_weight") and first.strip().endswith("%")
    page.screenshot(path=shots / "live.png", full_page=True)


def test_a_search_of_two_objectives_shows_its_front_in_a_picture_and_a_table(followed, live, shots):
    record, plan = read_study(live[1], "synthetic")
    search = record["searches"][0]
    search |= {"rules": ["neighbour_mi", "wall"], "directions": ["maximize", "minimize"]}
    for place, entry in enumerate(search["history"]):
        entry["objective"] = [entry["objective"][0], float(place % 7)]
    with Ledger(live[1], writable=True) as ledger:
        ledger.studies.write("synthetic", record, plan)
    page = followed()
    entry = page.locator("#searched details")
    rows = entry.locator("div.wide tbody tr")
    rows.first.wait_for(timeout=20_000)
    assert entry.locator("svg.plane circle.front").count() == rows.count() > 1
    assert "neighbour_mi (maximize)" in entry.locator("div.wide thead").inner_text()
    assert f"{rows.count()} configurations than which" in entry.inner_text()
    page.screenshot(path=shots / "live-front.png", full_page=True)


def test_on_a_narrow_screen_the_numbers_of_a_study_stand_below_its_name(followed, shots):
    page = followed(width=420)
    cells = page.locator("#rows tr").first.locator("td:not(:empty)")
    for cell in cells.all():
        box = cell.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 420 and box["y"] < 900
    label = cells.nth(1).evaluate("cell => getComputedStyle(cell, '::before').content")
    assert "complete" in label
    page.screenshot(path=shots / "live-narrow.png")


def test_what_is_unfinished_comes_first(followed, live):
    record, plan = read_study(live[1], "synthetic")
    keep = [phase == "search" for phase in plan["phase"].to_pylist()]
    with Ledger(live[1], writable=True) as ledger:
        ledger.studies.write("a_finished_one", {**record, "name": "a_finished_one"}, plan.filter(keep))
    page = followed()
    page.locator("#rows tr").nth(1).wait_for(timeout=20_000)
    assert page.locator("#rows th").all_inner_texts() == ["synthetic", "a_finished_one"]


def test_looks_are_told_as_allowed_and_nothing_is_estimated(followed, live):
    record, plan = read_study(live[1], "synthetic")
    record["seeds"]["planned"], record["looks_taken"] = [6, 12], []
    with Ledger(live[1], writable=True) as ledger:
        ledger.studies.write("synthetic", record, plan)
    page = followed()
    page.locator("#seeds td", has_text="to go").wait_for(timeout=20_000)
    cells = page.locator("#seeds tr").first
    assert cells.inner_text().split("\t") == ["synthetic", "5", "6, 12", "–", "–", "at 6 seeds, 1 to go", "50 %"]


def test_the_run_under_way_says_its_price_its_device_and_its_whole(followed, live, evil):
    with Ledger(live[1], writable=True) as ledger:
        priced = {
            "n_trials": 300,
            "seconds": [600.0, 480.0, 900.0],
            "wall_seconds": [300.0, 250.0, 400.0],
            "workers": 2,
        }
        ledger.announce(study="synthetic", priced=priced, n_trials=492, n_hits=192, device="cuda", dashboard=evil)
        page = followed()
        page.locator("#announced", has_text="priced for 2 workers on cuda").wait_for(timeout=20_000)
        line = page.locator("#spent tr", has_text="now").inner_text()
        assert "0 of 300" in line and "10.0 min" in line and "8.0 min to 15.0 min" in line
        assert "190 / 492" in page.locator("#rows tr").first.inner_text()
        assert page.locator("#devices tr").first.inner_text().startswith("cpu")
        assert evil in page.locator("#announced").inner_text() and page.evaluate("window.taken") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 420])
def test_a_checker_of_accessibility_finds_nothing_serious_on_the_live_page(followed, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = followed(width=width, scheme=scheme)
    for summary in page.locator("summary").all():
        if summary.locator("..").get_attribute("open") is None:
            summary.click()
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"][-300:]) for one in serious
    ] == []
