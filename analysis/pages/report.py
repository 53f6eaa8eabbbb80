"""The answer of a study: report.html, tables, figures and notebook beside its record, and the Answer for a terminal."""

from __future__ import annotations

import contextlib
import html
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.data import provenance, study_view
from analysis.data.retracted import retracted_sentences
from analysis.data.spending import spending_sentence
from analysis.data.study_view import StudyView
from analysis.data.under_trained import n_under_trained, under_trained_sentence
from analysis.pages import rendering
from analysis.pages import stamp as stamps
from analysis.tables import arm_tables, contrast_tables, formats
from analysis.tables.arm_tables import ArmRow
from analysis.verdicts import optimism, reproduction, verdicts
from analysis.verdicts.beats_chance import Footing, footings
from analysis.verdicts.claims import Claim, claims
from analysis.verdicts.detectable import Detectable, detectable
from analysis.verdicts.looks import looks_sentence
from analysis.verdicts.optimism import Gain
from analysis.verdicts.reproduction import Comparison
from analysis.verdicts.verdicts import Verdict
from orchestrator.bundles import equivalence
from orchestrator.errors import RequestError
from orchestrator.ledger import plain_files

if TYPE_CHECKING:
    from analysis.figures.section import Section
    from analysis.pages.kernel import WaitingKernel

__all__ = ["Answer", "build", "build_view", "preload"]

STAMP = "report.json"
"""Beside the report: the digest of what it was made from, and the files that were made."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a study says, ready to print; every text is computed from the ledger's rows."""

    name: str
    question: str
    heading: str
    """Tier, data, seeds, test; says so if the study is exploratory."""
    head: tuple[str, ...]
    """Headings of `rows`."""
    rows: tuple[tuple[str, ...], ...]
    note: str
    sentences: tuple[str, ...]
    """One per contrast, in the order of the plan."""
    words: tuple[str, ...]
    """The decision of each sentence: effect, no difference, inconclusive, not tested; and who works more often."""
    decisions: tuple[str, ...]
    """The kind of each, for colours: effect (of either part), equivalent, inconclusive, refused."""
    living: tuple[str, ...]
    """How good each is where both work: the words without who works more often."""
    how_often: tuple[str, ...]
    """How often each works: all work, not told apart, works less often, works more often."""
    claims: tuple[Claim, ...]
    """Every test with its p-value, for the view across studies."""
    remarks: tuple[str, ...]
    """Missing or failed seeds, the looks that were taken, arms that were still moving at the end."""
    footing: tuple[str, ...]
    """One sentence a dataset: whether the baseline beats chance by the margin that the study states."""
    works: bool
    """Whether it does, on every dataset; True also for a study that tests nothing."""
    detectable: str
    """The smallest effect that the study could have found, in words; empty for a study that tests nothing."""
    smallest_effect: float
    """The same in the ledger's units (middle contrast); nan if it tests nothing or no spread was observed."""
    under_trained: int
    """Confirm trials that still moved over the last fifth of training; `remarks` names their arms."""
    tally: str
    """How many contrasts ended in which decision."""
    optimism: tuple[str, ...]
    published: tuple[str, ...]
    """One sentence per published number beside this study: reproduced or not, and which conditions differ."""
    published_summary: str
    """How many of them were reproduced; empty without published numbers."""
    summary: str
    paths: Mapping[str, Path]
    """`report`, `notebook` (if asked for), `figures` and `tables` (folders)."""
    reused: bool
    """Whether the files were there already, made from the same rows by the same code."""


@dataclass(frozen=True)
class _Parts:
    """What both the page and the Answer are made of."""

    study: StudyView
    found: list[Verdict]
    rows: list[ArmRow]
    epochs: pd.DataFrame
    optimism: list[Gain]
    footings: list[Footing]
    detectable: Detectable | None
    published: list[Comparison]


def preload() -> None:
    """Import what a report and its notebook need, ahead of time: some seconds, while others train."""
    from analysis.figures import boundaries, drawing, finite_designs, pareto, rankings, sensitivity
    from analysis.pages import notebook

    assert all((boundaries, finite_designs, pareto, rankings, sensitivity))
    notebook.preload()
    drawing.warm()


def build(
    results: Path, name: str, *, notebook: bool = True, out: Path | None = None, kernel: WaitingKernel | None = None
) -> Answer:
    """Make (or keep, if nothing changed) a study's report, tables, figures and notebook, and return its answer.

    Files: `OUT/studies/<name>/` report.html, figures/*.png and *.svg, tables/{arms,contrasts}.{csv,tex,html},
    notebook.ipynb, report.json (what they were made from).

    Args:
        results: the results folder.
        name: the study's name.
        notebook: execute the notebook too (takes some seconds).
        out: where the files go; None: the results folder, unless it must stay as it is (`frame.place_for`).
        kernel: one that waits for the notebook; None: it is started when it is needed.

    Raises:
        RequestError: no such study in this folder, or a folder that cannot be used.
        OrchestratorError: the notebook did not execute.
    """
    results = Path(results)
    return build_view(
        study_view.load(results, name), study_view.place_for(results, out), notebook=notebook, kernel=kernel
    )


def build_view(study: StudyView, out: Path, *, notebook: bool = True, kernel: WaitingKernel | None = None) -> Answer:
    """Do what `build` does for a view that is loaded already."""
    parts = _parts(study)
    folder = out / "studies" / study.name
    stamp = {"content": provenance.content_digest(study), "code": provenance.code_of_analysis()}
    wanted = ["report.html", *(["notebook.ipynb"] if notebook else [])]
    reused = stamps.is_current(folder / STAMP, stamp, wanted)
    if not reused:
        with refused_folder(out):
            plain_files.require_plain(out, "studies", study.name)
            stamps.write(folder / STAMP, stamp, _write(parts, folder, notebook, kernel))
    return _answer(parts, folder, notebook=notebook, reused=reused)


@contextlib.contextmanager
def refused_folder(out: Path) -> Iterator[None]:
    """Say in one line that a folder cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise RequestError(
            f"reports cannot be written to {str(out)!r}: {reason}; name another folder: --out"
        ) from error


def _parts(study: StudyView) -> _Parts:
    found = verdicts.verdicts(study)
    epochs = study_view.epochs_of(study, study_view.confirm_rows(study))
    return _Parts(
        study,
        found,
        arm_tables.arm_rows(study, found),
        epochs,
        optimism.optimism(study, epochs),
        footings(study),
        detectable(study, found),
        reproduction.comparisons(study),
    )


def _write(parts: _Parts, folder: Path, notebook: bool, kernel: WaitingKernel | None) -> list[Path]:
    """Write everything; the notebook is executed while the figures are drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAMP).unlink(missing_ok=True)  # an interrupted build must not pass for a finished one
    with ThreadPoolExecutor(1) as background:
        executed = background.submit(_notebook, parts.study, folder, kernel) if notebook else None
        made = list(arm_tables.write(parts.rows, parts.study, folder / "tables").values())
        made += contrast_tables.write(parts.found, parts.study.metric, parts.study.name, folder / "tables").values()
        made += _page(parts, folder)
        if executed is not None:
            made.append(executed.result())
    return made


def _notebook(study: StudyView, folder: Path, kernel: WaitingKernel | None) -> Path:
    from analysis.pages import notebook  # nbclient and the kernel's machinery take half a second to import

    target = folder / "notebook.ipynb"
    return notebook.execute("study", target, results=study.results, study=study.name, kernel=kernel)


def _page(parts: _Parts, folder: Path) -> list[Path]:
    """Draw the figures and write report.html with the figures inside."""
    from analysis.figures import boundaries, drawing, finite_designs, pareto, rankings, searches, sensitivity

    study = parts.study
    sections = [*rankings.sections(study), *sensitivity.sections(study, parts.found)]
    drawings = finite_designs.study_figures(study, parts.rows, parts.found, parts.epochs)
    drawings += pareto.pareto_figures(study, parts.rows) + boundaries.boundary_figures(study, parts.epochs)
    drawings += searches.figures_of_searches(study)
    drawings += [drawn for one in sections for drawn in one.drawings]
    paths = drawing.save(drawings, folder / "figures")
    shown = [
        (one.title, one.caption, drawing.as_data_uri(path.with_suffix(".svg")))
        for one, path in zip(drawings, paths, strict=True)
    ]
    page = folder / "report.html"
    page.write_text(_render(parts, shown, sections), encoding="utf-8")
    return [page, *paths, *[path.with_suffix(".svg") for path in paths]]


def _render(parts: _Parts, shown: Sequence[tuple[str, str, str]], sections: Sequence[Section]) -> str:
    study, metric = parts.study, parts.study.metric
    head = arm_tables.columns(arm_tables.shown(parts.rows), metric, 1 - float(study.record["alpha"]))
    return rendering.render(
        "report.html",
        record={"tier": "local", "exploratory": False, "paper": "", **study.record},
        name=study.name,
        paragraphs=_paragraphs(study.record),
        heading=verdicts.heading(study),
        verdicts=parts.found,
        remarks=_remarks(parts),
        tally=verdicts.tally(parts.found, study.tier),
        footings=parts.footings,
        detectable=parts.detectable.sentence if parts.detectable else "",
        table=formats.as_html(head, arm_tables.printed(arm_tables.shown(parts.rows), metric)) if parts.rows else "",
        note=arm_tables.note(parts.rows, metric),
        described=formats.as_html(contrast_tables.HEAD, contrast_tables.described(parts.found, metric)),
        described_note=contrast_tables.NOTE,
        figures=shown,
        optimism=[one.sentence for one in parts.optimism],
        searches=_searches(study),
        sections=sections,
        published=parts.published,
        published_summary=reproduction.summary(parts.published),
        failures=provenance.failure_rows(study),
        cost=formats.as_html(provenance.COST_HEAD, provenance.cost_rows(study)),
        summary=provenance.summary(study),
        facts=provenance.facts(study),
        results=str(study.results),
    )


def _paragraphs(record: Mapping[str, Any]) -> list[str]:
    """Return the docstring's paragraphs as HTML, with its `names` set as code."""
    parts = str(record.get("docstring") or "").split("\n\n")
    return [re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(part)) for part in parts if part.strip()]


def _searches(study: StudyView) -> list[dict[str, Any]]:
    """Return, per search, its sentence and the table of its best configurations by the rule."""
    from analysis.figures import searches

    return [searches.history(study, search) for search in study.record.get("searches", ())]


def _remarks(parts: _Parts) -> list[str]:
    study = parts.study
    others = (
        looks_sentence(study.record),
        under_trained_sentence(study, parts.epochs),
        spending_sentence(study.record),
    )
    checks = study.record.get("equivalence", {}).get("checks", ())
    changed = [equivalence.sentence(check) for check in checks if not check["equal"]]
    return [
        *changed,
        *retracted_sentences(study),
        *verdicts.missing_sentences(study),
        *(text for text in others if text),
    ]


def _answer(parts: _Parts, folder: Path, *, notebook: bool, reused: bool) -> Answer:
    study = parts.study
    paths = {"report": folder / "report.html", "figures": folder / "figures", "tables": folder / "tables"}
    if notebook:
        paths["notebook"] = folder / "notebook.ipynb"
    return Answer(
        name=study.name,
        question=str(study.record["question"]),
        heading=verdicts.heading(study),
        head=tuple(
            arm_tables.columns(
                arm_tables.shown(parts.rows), study.metric, 1 - float(study.record["alpha"]), beside=False
            )
        ),
        rows=tuple(tuple(row) for row in arm_tables.printed(arm_tables.shown(parts.rows), study.metric, beside=False)),
        note=arm_tables.note(parts.rows, study.metric),
        sentences=tuple(verdict.sentence for verdict in parts.found),
        words=tuple(verdict.words for verdict in parts.found),
        decisions=tuple(verdict.decision for verdict in parts.found),
        living=tuple(verdict.word for verdict in parts.found),
        how_often=tuple(verdict.works for verdict in parts.found),
        claims=claims(parts.found),
        remarks=tuple(_remarks(parts)),
        footing=tuple(one.sentence for one in parts.footings),
        works=all(one.works for one in parts.footings),
        detectable=parts.detectable.sentence if parts.detectable else "",
        smallest_effect=parts.detectable.difference if parts.detectable else math.nan,
        under_trained=n_under_trained(study, parts.epochs),
        tally=verdicts.tally(parts.found, study.tier),
        optimism=tuple(one.sentence for one in parts.optimism),
        published=tuple(one.sentence for one in parts.published),
        published_summary=reproduction.summary(parts.published),
        summary=provenance.summary(study),
        paths=paths,
        reused=reused,
    )
