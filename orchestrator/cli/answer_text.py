"""What was found, for a terminal of 80 columns: of one study the answer first, of all one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from orchestrator.cli import console

__all__ = ["answer", "arms_table", "index_text"]

STYLES = {"effect": "green", "equivalent": "blue", "inconclusive": "yellow", "refused": "red"}

SHORT = {"corrected p": "corr.\np", "works": "works"}
"""Headings that a terminal has room for, as they stand there."""

NO_P = "not available"
"""What the report says where there is no p-value."""

LEAST_ROOM, GAP = 16, 2
"""Signs that names of arms have at least, and between columns."""

BOTH = "where both work"
"""How the heading of the differences begins."""


def answer(found: Any, *, verbose: bool = False, quiet: bool = False) -> None:
    """Print a study's answer: first in one line, then the table and what must be known beside it, and the files.

    Args:
        found: the answer.
        verbose: print every sentence too: one a contrast, what choosing by labels would add, remarks.
        quiet: print nothing but question and answer.
    """
    console.out.print(found.question, style="dim", markup=False)
    console.out.print(found.short, style="bold", markup=False)
    if quiet:
        return
    for sentence in () if found.works else found.footing:
        console.out.print(sentence, style="bold red", markup=False)
    console.out.print(arms_table(found))
    if verbose:
        _sentences(found)
    for sentence in (found.tally, found.summary):
        if sentence:
            console.out.print(sentence, markup=False)
    if found.remarks and not verbose:
        several = f"{len(found.remarks)} remark{'s' * (len(found.remarks) > 1)}"
        console.out.print(
            f"{several} (looks, missing seeds, cost ...) and every sentence: --verbose", style="dim", markup=False
        )
    for label, path in found.paths.items():
        console.out.print(f"{label}: {path}", markup=False, soft_wrap=True)


def _sentences(found: Any) -> None:
    """Print all that the short answer leaves out."""
    console.out.print(found.note, style="dim", markup=False)
    console.out.print(found.heading, style="dim", markup=False)
    for sentence in found.footing if found.works else ():
        console.out.print(sentence, markup=False)
    for decision, sentence in zip(found.decisions, found.sentences, strict=True):
        console.out.print(f"[{STYLES.get(decision, 'default')}]•[/] {escape(sentence)}")
    for sentence in (found.detectable, *found.remarks, *found.optimism, *found.published):
        if sentence:
            console.out.print(sentence, markup=False)


def index_text(found: Any) -> None:
    """Print one line a study with what it found, and where the pages are."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("study")
    table.add_column("answer", overflow="fold")
    for line in found.lines:
        table.add_row(f"{line.name}{' (exploratory)' if line.exploratory else ''}", escape(line.short))
    console.out.print(table)
    console.out.print(found.summary, markup=False)
    for label, path in found.paths.items():
        console.out.print(f"{label}: {path}", markup=False, soft_wrap=True)


def arms_table(found: Any) -> Table:
    """Return the arms with what fits 80 columns: the metric, what works, the difference, p. The report has the rest.

    Intervals stay in one line, below their numbers where the names of arms had no room else; of several datasets, each
    is a line above its arms.
    """
    arm = found.head.index("arm")
    shown = []
    for place, heading in enumerate(found.head):
        if place in (arm, arm + 1) or heading in SHORT or heading.startswith(BOTH):
            shown.append(place)
    headings = {
        place: SHORT.get(found.head[place], found.head[place].replace(BOTH, "where both\nwork")) for place in shown
    }
    rows = [[row[place].replace(NO_P, "–") for place in shown] for row in found.rows]
    at = shown.index(arm)
    longest = max((len(row[at]) for row in rows), default=0)
    if _room_for_arms([list(headings.values()), *rows], at) < min(LEAST_ROOM, longest):
        headings = {place: heading.replace(" [", "\n[") for place, heading in headings.items()}
        rows = [[cell if place == at else cell.replace(" [", "\n[") for place, cell in enumerate(row)] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, heading in headings.items():
        if place == arm:
            table.add_column(escape(heading), overflow="fold")
        else:
            table.add_column(escape(heading), justify="right", no_wrap=True)
    before = ""
    for row, cells in zip(found.rows, rows, strict=True):
        data = row[0] if arm else ""
        if data != before:
            table.add_row(f"[bold]{escape(data)}[/bold]")
            before = data
        table.add_row(*map(escape, cells))
    return table


def _room_for_arms(lines: Sequence[Sequence[str]], at: int) -> int:
    """Return how many signs the column `at` has beside the others, none of which is wrapped."""
    others = 0
    for place, column in enumerate(zip(*lines, strict=True)):
        if place != at:
            others += GAP + max(len(part) for cell in column for part in cell.split("\n"))
    return console.out.width - others
