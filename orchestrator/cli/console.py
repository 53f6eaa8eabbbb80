"""What a person sees in the terminal: tables, live progress, the answer. Prints; decides nothing."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from orchestrator.cli.output import OUT, say_json

if TYPE_CHECKING:
    from orchestrator.run.progress import Progress as RunProgress

__all__ = [
    "all_plans_text",
    "doctor_text",
    "emit",
    "folders_table",
    "nothing_to_do",
    "plan_text",
    "status_table",
    "studies_table",
    "trial_text",
    "verification_text",
    "watching",
]

out = Console(highlight=False, file=OUT)
err = Console(stderr=True, highlight=False)

HIDDEN = ("config", "error", "stages", "versions", "trial_id", "schema_version")
"""Columns that `trial` shows in another place, or that only programs read."""

PIPED_SECONDS = 30.0
"""Seconds between progress lines when the output is no terminal."""


def emit(found: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print as JSON, or as people read it."""
    if as_json:
        say_json(found)
    else:
        show(found)


def studies_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a study, and its question and knobs below."""
    for row in rows:
        paper = f"{row['paper']}, " if row["paper"] else ""
        rest = f"{paper}{', '.join(row['methods'])}, {row['trials']} trials"
        out.print(f"[bold]{escape(row['name'])}[/bold]  {escape(rest)}")
        knobs = f"\n[dim]{escape(', '.join(row['knobs']))}[/dim]" if row["knobs"] else ""
        out.print(Padding(escape(row["question"]) + knobs, (0, 0, 0, 2)))


def plan_text(found: Mapping[str, Any]) -> None:
    """Print a plan: arms, trials and hits, price, what it can detect."""
    out.print(f"[bold]{escape(found['study'])}[/bold]  {escape(found['question'])}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("arm", "sets", "trials", "in the ledger"):
        table.add_column(heading, justify="right" if heading in ("trials", "in the ledger") else "left")
    for arm in found["arms"]:
        table.add_row(escape(arm["name"]), escape(arm["sets"]), str(arm["trials"]), str(arm["hits"]))
    out.print(table)
    for sentence in found["sentences"]:
        out.print(escape(sentence))


def all_plans_text(found: Mapping[str, Any]) -> None:
    """Print the price of all studies, one line each, and the total."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("study", overflow="fold")
    for heading in ("trials", "in the\nledger", "missing", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in found["studies"]:
        seconds = line["wall_seconds"][0]
        price = "unknown" if seconds != seconds else f"{seconds:.0f}"  # noqa: PLR0124  NaN
        counts = map(str, (line["trials"], line["hits"], line["missing"]))
        table.add_row(line["study"] + " (exploratory)" * line["exploratory"], *counts, price)
    out.print(table)
    for sentence in found["sentences"]:
        out.print(escape(sentence))


def nothing_to_do(name: str, question: str, n_trials: int) -> None:
    """Say that every trial of a study is in the ledger."""
    out.print(f"[bold]{escape(name)}[/bold]  {escape(question)}")
    out.print(f"Nothing is left to do: all {n_trials} trials are in the ledger.")


def status_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a study; counts that are 0 in all of them have no column, so that names have room."""
    columns: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "trials": lambda row: str(row["trials"]),
        "complete": lambda row: str(row["complete"]),
        "collapsed": lambda row: str(row["collapsed"] or ""),
        "pruned": lambda row: str(row["pruned"] or ""),
        "failed": lambda row: str(sum(row["failed"].values()) or ""),
        "missing": lambda row: str(row["missing"] or ""),
        "spent": lambda row: f"{row['seconds_spent']:.0f} s",
        "left": lambda row: f"{row['seconds_left']:.0f} s" if row["seconds_left"] else "",
    }
    shown = {heading: told for heading, told in columns.items() if any(told(row) for row in rows)}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("study", overflow="fold")
    for heading in shown:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row["study"], *(told(row) or "0" for told in shown.values()))
    out.print(table)
    for row in rows:
        for example in row["examples"]:
            kind = f"{row['failed'][example['kind']]} {example['kind']}"
            line = f"{row['study']}: {kind}, such as trial {example['trial_id']}: {example['error']}"
            out.print(line, markup=False, soft_wrap=True)
    holders = {row["running"] for row in rows if row["running"]}
    out.print(f"running: {', '.join(holders)}" if holders else "nobody is running here", markup=False)


def trial_text(found: Mapping[str, Any]) -> None:
    """Print one trial: config, attempts, last rows, tracebacks, and how to train it again."""
    out.print(f"trial {found['trial_id']}", style="bold", markup=False)
    config = ", ".join(f"{name}={value}" for name, value in found["config"].items())
    out.print(f"config: {config}" if found["attempts"] else "no attempt has ended yet", markup=False)
    for stage in found["stages"]:
        how = "made once, with a seed of its own" if stage["drawn"] else "made once"
        out.print(f"{how}: {stage['name']} {stage['key']}", markup=False)
    for attempt in found["attempts"]:
        out.print(f"attempt: {_facts(attempt)}", markup=False)
        if attempt.get("error"):
            out.print(attempt["error"], style="red", markup=False, soft_wrap=True)
    for entry in found["logs"]:
        out.print(f"{entry['file']}, {entry['at']}: {entry['what']}", style="bold", markup=False)
        out.print(entry["text"], markup=False, soft_wrap=True)
    for row in found["epochs"][-5:]:
        out.print(f"epoch {row['epoch']}: {_metrics(row)}", markup=False)
    for what, path in found["kept"].items():
        out.print(f"kept {what}: {path}", markup=False, soft_wrap=True)
    out.print(f"asked for by: {', '.join(found['studies']) or 'no study that is planned here'}")
    if found["train_again"]:
        out.print(f"train it again: {found['train_again']}", markup=False)


def _facts(attempt: Mapping[str, Any]) -> str:
    facts = []
    for name, value in attempt.items():
        if not name.startswith(("metric.", "knob.")) and name not in HIDDEN:
            facts.append(f"{name}={value}")
    return ", ".join(facts)


def _metrics(row: Mapping[str, Any]) -> str:
    metrics = []
    for name, value in row.items():
        if name.startswith("metric."):
            metrics.append(f"{name.removeprefix('metric.')}={value:.4g}")
    return ", ".join(metrics)


def verification_text(found: Mapping[str, Any]) -> None:
    """Print what training a sample again said."""
    out.print(
        f"{found['n_trials']} trials of {found['study']} trained again alone: {found['n_equal']} equal in every metric"
    )
    for row in found["differ"]:
        out.print(f"  {row['trial_id']}: {row['says']}", style="red", markup=False)


def folders_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print disk use by folder."""
    for row in rows:
        extra = "  (orchestrate clean --remove deletes it)" if row["removable"] and row["bytes"] else ""
        out.print(f"{row['folder']:<14}{row['bytes'] / 1e6:>10.2f} MB{extra}", markup=False)


def doctor_text(found: Mapping[str, Any]) -> None:
    """Print the doctor's findings as indented lines."""
    for line in _lines(found):
        out.print(line, markup=False, soft_wrap=True)


@contextlib.contextmanager
def watching(name: str, question: str, *, quiet: bool) -> Iterator[Watch]:
    """Show progress while a study runs: live on a terminal, a line now and then into a pipe, nothing if quiet."""
    watch = Watch(name, question, quiet)
    try:
        yield watch
    finally:
        watch.end()


class Watch:
    """The progress display of one run."""

    def __init__(self, name: str, question: str, quiet: bool) -> None:
        self.name, self.question, self.quiet = name, question, quiet
        self.began = self.printed = time.monotonic()
        self.live: Progress | None = None
        self.task: Any = None

    def planned(self, progress: RunProgress, *, finished: bool) -> None:
        """Say what is planned, and begin the display if anything is to be trained."""
        if self.quiet:
            return
        if finished:
            nothing_to_do(self.name, self.question, progress.total)
            return
        out.print(f"[bold]{escape(self.name)}[/bold]  {escape(self.question)}")
        out.print(_announced(progress))
        if out.is_terminal:
            self.live = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=32),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                console=out,
                transient=True,
            )
            self.task = self.live.add_task("search", total=progress.whole, rate="")
            self.live.start()
        self.update(progress)

    def dashboard(self, address: str) -> None:
        """Say where the cluster's dashboard is."""
        if not self.quiet:
            out.print(f"Ray dashboard: {address}", markup=False, soft_wrap=True)

    def update(self, progress: RunProgress) -> None:
        """Show where the run stands, and what has to be read at once."""
        notes = progress.take_notes()
        for note in () if self.quiet else notes:
            out.print(note, style="yellow", markup=False)
        done, whole = progress.done, progress.whole
        seconds = max(time.monotonic() - self.began, 1e-9)
        left = progress.seconds_left(seconds)
        text = f"{progress.trained / seconds:.1f} trials/s" if progress.trained else "starting"
        text += "" if math.isnan(left) else f", about {_span(left)} left"
        troubles = [f"{count} {kind}" for kind, count in progress.failed.items()]
        if progress.collapsed:
            troubles.append(f"{progress.collapsed} collapsed")
        text += f" ({', '.join(troubles)})" if troubles else ""
        if self.live is not None:
            self.live.update(self.task, description=progress.phase, total=whole, completed=done, rate=text)
        elif not self.quiet and time.monotonic() - self.printed > PIPED_SECONDS:
            self.printed = time.monotonic()
            out.print(f"{progress.phase}: {done}/{whole} trials, {text}", markup=False)

    def end(self) -> None:
        """Take the display away."""
        if self.live is not None:
            self.live.stop()
            self.live = None


def _announced(progress: RunProgress) -> str:
    """Return what a run begins with: all its trials, those that are known, how long the price says it takes."""
    known = f", {progress.announced_hits} of them already in the ledger" if progress.announced_hits else ""
    price = progress.priced_seconds
    return f"{progress.whole} trials{known}" + ("." if math.isnan(price) else f"; about {_span(price)} by their price.")


def _span(seconds: float) -> str:
    """Return a length of time in the unit that fits: 40 s, 12 min, 3.5 h."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_970 else f"{seconds / 3600:.1f} h"


def _lines(found: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return nested mappings as indented `key: value` lines."""
    text: list[str] = []
    for key, value in found.items():
        if isinstance(value, Mapping):
            text += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            text.append(f"{indent}{key}:")
            for one in value:
                text += [*_lines(one, indent + "  "), ""]
        elif isinstance(value, list):
            text.append(f"{indent}{key}: {'' if value else 'none'}")
            for one in value:
                text.append(f"{indent}  {one}")
        else:
            text.append(f"{indent}{key}: {value}")
    return text
