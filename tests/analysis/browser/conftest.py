"""Pages opened in Debian's Chromium, which lets no request leave: what they log, ask for and look like is kept."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.data import study_view
from analysis.data.study_view import StudyView
from analysis.pages import index, study_page
from analysis.pages.parts import parts_of

LEDGER = Path("analysis/ledger")
SIZES = {"wide": (1400, 900), "narrow": (420, 900)}
SCHEMES = ("light", "dark")
EVIL = '</script><img src=x onerror="window.taken=1"><b>x</b>&amp;\'`${window.taken=1}'
"""Put wherever a stranger may write; no request and no script may come of it."""


class Opened:
    """A page in a browser, and all that it did that no page may do."""

    def __init__(self, page: Any, shots: Path) -> None:
        self.page, self.shots = page, shots
        self.complaints: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda asked: self._asked(asked.url))
        page.on("dialog", lambda shown: self.complaints.append(f"dialog {shown.message}"))

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.complaints.append(f"asked for {url}")

    def keep(self, name: str) -> None:
        """Keep what the screen shows, as an artefact of the run."""
        self.page.screenshot(path=self.shots / f"{name}.png")

    def within(self, selector: str, place: int = 0) -> bool:
        """Return whether the whole of an element is on the screen."""
        box, size = self.page.locator(selector).nth(place).bounding_box(), self.page.viewport_size
        return box is not None and box["width"] > 0 and box["height"] > 0 and (
            box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= size["width"] + 1
            and box["y"] + box["height"] <= size["height"] + 1
        )  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    assert path, "these tests need Debian's chromium: apt-get install chromium"
    with sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        found = driver.chromium.launch(executable_path=path, args=options)
        yield found
        found.close()


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder that SCREENSHOTS names, else one of the run's."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def opened(browser: Any, shots: Path) -> Iterator[Callable[..., Opened]]:
    """Open a page at a size and in a scheme; afterwards, it must have had nothing to complain of."""
    contexts, pages = [], []

    def open_page(path: Path, size: str = "wide", scheme: str = "light", place: str = "", **options: Any) -> Opened:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        contexts.append(context)
        page = Opened(context.new_page(), shots)
        page.page.goto(f"{path.as_uri()}{place}")
        pages.append(page)
        return page

    yield open_page
    complaints = [one for page in pages for one in page.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole page of the committed quickstart, with its figures."""
    return _written(study_view.load(LEDGER, "quickstart"), tmp_path_factory.mktemp("quickstart"))


@pytest.fixture(scope="session")
def planted(synthetic: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of a study whose texts a stranger wrote: question, docstring, arms, errors, methods."""
    study = study_view.load(synthetic.results, synthetic.name)
    arm = f"norm_weight=0 {EVIL}"
    record = copy.deepcopy(dict(study.record))
    record |= {"question": EVIL, "docstring": f"{EVIL}\n\n`{EVIL}`", "tier": EVIL, "command": EVIL, "paper": EVIL}
    for one in (*record["arms"], *record["contrasts"]):
        one |= {key: text.replace("norm_weight=0", arm) for key, text in one.items() if key == "name"}
        one |= {
            "weights": {name.replace("norm_weight=0", arm): one["weights"][name] for name in one.get("weights", {})}
        }
    rows = study.rows.assign(error=EVIL, arm=pd.Series(study.rows["arm"]).replace("norm_weight=0", arm))
    return _written(StudyView(study.name, study.results, record, rows), tmp_path_factory.mktemp("planted"))


@pytest.fixture
def evil() -> str:
    """What a stranger planted."""
    return EVIL


@pytest.fixture(scope="session")
def first_screens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of every study of the committed ledger, without its figures, which stand further down."""
    folder, pages = tmp_path_factory.mktemp("all"), {}
    for study in study_view.load_all(LEDGER):
        pages[study.name] = folder / f"{study.name}.html"
        pages[study.name].write_text(study_page.render_page(parts_of(study), [], []), encoding="utf-8")
    return pages


@pytest.fixture(scope="session")
def overview(synthetic: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index page of the synthetic ledger."""
    return index.build(synthetic.results, tmp_path_factory.mktemp("index"), notebook=False).paths["index"]


def _written(study: StudyView, folder: Path) -> Path:
    return study_page.write(parts_of(study), folder)[0]
