"""The answer of a study: report.html, tables, figures and notebook beside its record, and the Answer for a terminal."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.data import provenance, study_view
from analysis.data.study_view import StudyView
from analysis.data.under_trained import n_under_trained
from analysis.figures.forest import Row
from analysis.pages import stamp as stamps
from analysis.pages import study_page
from analysis.pages.parts import Parts, parts_of
from analysis.tables import arm_tables, contrast_tables
from analysis.verdicts import reproduction, verdicts
from analysis.verdicts.claims import Claim, claims
from orchestrator.errors import RequestError
from orchestrator.ledger import plain_files

if TYPE_CHECKING:
    from analysis.pages.kernel import WaitingKernel

__all__ = ["Answer", "build", "build_view", "preload"]

STAMP = "report.json"
"""Beside the report: the digest of what it was made from, and the files that were made."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a study says, ready to print; every text is computed from the ledger's rows."""

    name: str
    question: str
    short: str
    """What was found, in at most 15 words."""
    lead: Row | None
    """The most telling contrast as it is drawn, without single seeds; None: the study describes."""
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
    """How often each works: all work, not told apart, works less often, works more often, not known."""
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
    """Arms whose mean still moved over the last fifth of training; `remarks` names them."""
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


def preload(*, searches: bool = False) -> None:
    """Import what a report and its notebook need, ahead of time: some seconds, while others train.

    Args:
        searches: what the importance of knobs is computed by, too.
    """
    from analysis.figures import boundaries, finite_designs, pareto, rankings, sensitivity
    from analysis.pages import notebook

    assert all((boundaries, finite_designs, pareto, rankings, sensitivity))
    notebook.preload()
    if searches:
        from optuna.importance import FanovaImportanceEvaluator  # brings scikit-learn's forests

        assert FanovaImportanceEvaluator is not None


def build(
    results: Path,
    name: str,
    *,
    notebook: bool = True,
    out: Path | None = None,
    kernel: WaitingKernel | None = None,
    png: bool = False,
) -> Answer:
    """Make (or keep, if nothing changed) a study's report, tables, figures and notebook, and return its answer.

    Files: `OUT/studies/<name>/` report.html, figures/*.svg, tables/{arms,contrasts}.{csv,tex,html},
    notebook.ipynb, report.json (what they were made from).

    Args:
        results: the results folder.
        name: the study's name.
        notebook: execute the notebook too (takes some seconds).
        out: where the files go; None: the results folder, unless it must stay as it is (`frame.place_for`).
        kernel: one that waits for the notebook; None: it is started when it is needed.
        png: write each figure as PNG too.

    Raises:
        RequestError: no such study in this folder, or a folder that cannot be used.
        OrchestratorError: the notebook did not execute.
    """
    results = Path(results)
    study, place = study_view.load(results, name), study_view.place_for(results, out)
    return build_view(study, place, notebook=notebook, kernel=kernel, png=png)


def build_view(
    study: StudyView,
    out: Path,
    *,
    notebook: bool = True,
    kernel: WaitingKernel | None = None,
    png: bool = False,
) -> Answer:
    """Do what `build` does for a view that is loaded already."""
    parts = parts_of(study)
    folder = out / "studies" / study.name
    stamp: dict[str, Any] = {"content": provenance.content_digest(study), "code": stamps.code_of_analysis()}
    stamp |= {"png": True} if png else {}
    wanted = ["report.html", *(["notebook.ipynb"] if notebook else [])]
    reused = stamps.is_current(folder / STAMP, stamp, wanted)
    if not reused:
        with refused_folder(out):
            plain_files.require_plain(out, "studies", study.name)
            stamps.write(folder / STAMP, stamp, _write(parts, folder, notebook, kernel, png=png))
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


def _write(parts: Parts, folder: Path, notebook: bool, kernel: WaitingKernel | None, *, png: bool) -> list[Path]:
    """Write everything; the notebook is executed while the figures are drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAMP).unlink(missing_ok=True)  # an interrupted build must not pass for a finished one
    with ThreadPoolExecutor(1) as background:
        executed = background.submit(_notebook, parts.study, folder, kernel) if notebook else None
        made = list(arm_tables.write(parts.rows, parts.study, folder / "tables").values())
        made += contrast_tables.write(parts.found, parts.study.metric, parts.study.name, folder / "tables").values()
        made += study_page.write(parts, folder, png=png)
        if executed is not None:
            made.append(executed.result())
    return made


def _notebook(study: StudyView, folder: Path, kernel: WaitingKernel | None) -> Path:
    from analysis.pages import notebook  # nbclient and the kernel's machinery take half a second to import

    target = folder / "notebook.ipynb"
    return notebook.execute("study", target, results=study.results, study=study.name, kernel=kernel)


def _answer(parts: Parts, folder: Path, *, notebook: bool, reused: bool) -> Answer:
    study, listed = parts.study, arm_tables.shown(parts.rows)
    confidence = 1 - float(study.record["alpha"])
    paths = {"report": folder / "report.html", "figures": folder / "figures", "tables": folder / "tables"}
    if notebook:
        paths["notebook"] = folder / "notebook.ipynb"
    return Answer(
        name=study.name,
        question=str(study.record["question"]),
        short=parts.short_answer,
        lead=None if parts.lead is None else replace(parts.lead, dots=()),
        heading=verdicts.heading(study),
        head=tuple(arm_tables.columns(listed, study.metric, confidence, beside=False)),
        rows=tuple(map(tuple, arm_tables.printed(listed, study.metric, beside=False))),
        note=arm_tables.note(parts.rows, study.metric),
        sentences=tuple(verdict.sentence for verdict in parts.found),
        words=tuple(verdict.words for verdict in parts.found),
        decisions=tuple(verdict.decision for verdict in parts.found),
        living=tuple(verdict.word for verdict in parts.found),
        how_often=tuple(verdict.works for verdict in parts.found),
        claims=claims(parts.found),
        remarks=tuple(parts.remarks),
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
