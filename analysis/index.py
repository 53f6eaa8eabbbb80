"""All studies of a ledger: each one's report, an index page, and ANSWERS.md; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from analysis import answers, frame, report
from analysis.families import by_family
from analysis.frame import StudyView
from analysis.report import Answer
from orchestrator.errors import RequestError

__all__ = ["Index", "Line", "build"]

Told = tuple[StudyView, Answer]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One study on the index page."""

    name: str
    question: str
    tier: str
    exploratory: bool
    answer: str
    """How many contrasts ended in which decision, or that it describes."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """What was made."""

    lines: tuple[Line, ...]
    summary: str
    paths: Mapping[str, Path]
    """`index`, `answers`."""


def build(
    results: Path, out: Path | None = None, *, notebook: bool = True, watch: Callable[[str], None] = lambda _: None
) -> Index:
    """Make (or keep) the report of every study in a results folder, then `index.html` and `ANSWERS.md`.

    Args:
        results: the results folder; only read, if `out` is another or the ledger is a committed one.
        out: where the files go; None: `frame.place_for`.
        notebook: execute the notebooks too.
        watch: told what is being made.

    Raises:
        RequestError: no study was planned in this folder, or the files cannot be written.
    """
    results = Path(results)
    place = frame.place_for(results, out)
    told: list[Told] = []
    for study in frame.load_all(results):
        watch(f"report of {study.name}")
        told.append((study, report.build_view(study, place, notebook=notebook)))
    if not told:
        raise RequestError(f"no study was planned in {str(results)!r}; run one first: orchestrate run --all")
    page, words = place / "index.html", place / "ANSWERS.md"
    with report.refused_folder(place):
        place.mkdir(parents=True, exist_ok=True)
        page.write_text(_page(told), encoding="utf-8")
        words.write_text(answers.as_markdown(told), encoding="utf-8")
    lines = tuple(_line(study, answer) for study, answer in told)
    return Index(lines=lines, summary=answers.totals(told), paths={"index": page, "answers": words})


def _line(study: StudyView, answer: Answer) -> Line:
    return Line(
        name=study.name,
        question=answer.question,
        tier=str(study.record.get("tier", "local")),
        exploratory=bool(study.record.get("exploratory")),
        answer=answer.tally or "It describes and tests nothing.",
    )


def _page(told: Sequence[Told]) -> str:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["zip"] = zip
    template = environment.from_string(files("analysis").joinpath("templates/index.html").read_text(encoding="utf-8"))
    families = by_family((study.record, (study, answer, _line(study, answer))) for study, answer in told)
    return template.render(families=families, totals=answers.totals(told))
