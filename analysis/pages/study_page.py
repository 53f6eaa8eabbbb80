"""A study's report.html: the answer first, then everything that it rests on, in one file that asks for no other."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.data import provenance
from analysis.data.study_view import StudyView
from analysis.figures.section import Section
from analysis.pages import rendering, trial_data
from analysis.pages.parts import Parts
from analysis.tables import arm_tables, contrast_tables, formats
from analysis.verdicts import reproduction, verdicts

if TYPE_CHECKING:  # a page that is only rendered does without figures
    from analysis.figures.drawing import Drawing

__all__ = ["Shown", "card", "drawings_of", "render_page", "write"]

SCRIPTS = (
    "vendor/uPlot.iife.min.js",
    "scripts/tables.js",
    "scripts/forest.js",
    "scripts/trials.js",
    "scripts/drawer.js",
)
STYLES = ("vendor/uPlot.min.css", "styles/report.css")


@dataclass(frozen=True)
class Shown:
    """A figure as the page holds it."""

    title: str
    caption: str
    image: str
    """A data URI."""


def write(parts: Parts, folder: Path, *, png: bool = False) -> list[Path]:
    """Draw the figures, write them and report.html with the figures inside, and return what was written."""
    from analysis.figures import drawing

    drawings, sections = drawings_of(parts)
    paths = drawing.save(drawings, folder / "figures", png=png)
    shown = []
    for one, path in zip(drawings, paths, strict=True):
        if one.key != "effects":  # the first screen has it, drawn by the page
            shown.append(Shown(one.title, one.caption, drawing.as_data_uri(path)))
    page = folder / "report.html"
    page.write_text(render_page(parts, shown, sections), encoding="utf-8")
    made = [page, *paths]
    if png:
        made += [path.with_suffix(".png") for path in paths]
    return made


def drawings_of(parts: Parts) -> tuple[list[Drawing], list[Section]]:
    """Return all figures of a study, and the sections that bring some of them."""
    from analysis.figures import boundaries, finite_designs, pareto, rankings, searches, sensitivity

    study = parts.study
    sections = [*rankings.sections(study), *sensitivity.sections(study, parts.found, parts.importances)]
    drawings = finite_designs.study_figures(study, parts.rows, parts.found, parts.epochs)
    drawings += pareto.pareto_figures(study, parts.rows) + boundaries.boundary_figures(study, parts.epochs)
    drawings += searches.figures_of_searches(study)
    for section in sections:
        drawings += section.drawings
    return drawings, sections


def render_page(parts: Parts, shown: Sequence[Shown], sections: Sequence[Section]) -> str:
    """Return the page of a study as HTML."""
    study, metric = parts.study, parts.study.metric
    listed = arm_tables.shown(parts.rows)
    head = arm_tables.columns(listed, metric, 1 - float(study.record["alpha"]))
    return rendering.render(
        "report.html",
        scripts=SCRIPTS,
        styles=STYLES,
        record={"tier": "local", "exploratory": False, "paper": "", **study.record},
        name=study.name,
        short=parts.short_answer,
        forest=parts.forest,
        tests=bool(parts.found),
        tiles=_tiles(study),
        paragraphs=_paragraphs(study.record),
        heading=verdicts.heading(study),
        verdicts=parts.found,
        remarks=parts.remarks,
        tally=verdicts.tally(parts.found, study.tier),
        footings=parts.footings,
        detectable=parts.detectable.sentence if parts.detectable else "",
        table=formats.as_html(head, arm_tables.printed(listed, metric)) if parts.rows else "",
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
        data=rendering.as_json(_data(parts)),
    )


def _data(parts: Parts) -> dict[str, Any]:
    """Return what the scripts of the page read: trials, curves, contrasts."""
    return {
        "study": parts.study.name,
        "trials": trial_data.trial_data(parts.study),
        "curves": trial_data.curve_data(parts.study, parts.all_epochs),
        "contrasts": trial_data.contrast_data(parts.study, parts.found),
    }


def _tiles(study: StudyView) -> list[tuple[str, str, str]]:
    """Return the numbers at the head, as (number, what it counts, the section that has more)."""
    once = study.rows.drop_duplicates("trial_id")
    states = once["state"].value_counts()
    lost = [f"{states[kind]} {kind}" for kind in ("failed", "pruned", "missing") if states.get(kind)]
    seconds = float(once["cost.seconds"].fillna(0).sum()) if "cost.seconds" in once else 0.0
    seeds = study.record["seeds"]
    return [
        (f"{len(seeds['seeds'])}", f"{seeds['block']} seeds", "table"),
        (f"{len(once)}", "trials", "trials"),
        (f"{int(once['collapsed'].sum())}", "collapsed", "trials"),
        (", ".join(lost) or "0 failed", "or not trained" if lost else "", "failures"),
        (_duration(seconds), "of training on one core", "cost"),
    ]


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _paragraphs(record: Mapping[str, Any]) -> list[str]:
    """Return the docstring's paragraphs as HTML, with its `names` set as code."""
    parts = str(record.get("docstring") or "").split("\n\n")
    return [re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(part)) for part in parts if part.strip()]


def _searches(study: StudyView) -> list[dict[str, str]]:
    """Return, per search, its sentence and the table of its best configurations by the rule."""
    from analysis.figures import searches

    return [searches.history(study, search) for search in study.record.get("searches", ())]


def card(parts: Parts) -> str:
    """Return the HTML of a study's answer, with its look; every text of the ledger is only text in it."""
    return rendering.card(
        "card.html",
        question=str(parts.study.record["question"]),
        short=parts.short_answer,
        forest=parts.forest,
        heading=verdicts.heading(parts.study),
        failed=[one.sentence for one in parts.footings if not one.works],
    )
