"""Scripts that say and do what nobody expects: what a plan accepts ends with a row a trial, and by no error of ours."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from answers import said
from hypothesis import strategies as st

from orchestrator.ledger import Ledger

HANGS = 120
"""Seconds for a case: a study of two trials, each up to its limit."""

SECONDS = "5"
"""For a trial."""

HEAD = """from orchestrator.designs.fixed import fixed
from orchestrator.knobs import Float, knob
from orchestrator.own import command
from orchestrator.study import Study
"""
NUMBERS = ["0.5", "1", "-0.0", "NaN", "Infinity", "1e999", "1" + "0" * 400, "50", "true", "null", '"3"', "[1]", "{}"]
NAMES = ["loss", "nmi", "purity", "lr", "seed", "metric.loss", "diagnostic.", "diagnostic.x", "", " ", "a/b", "x" * 101]
EPOCHS = ["0", "1", "2", "9", "-1", "1.0", "1.5", "NaN", "Infinity", "1e999", "1" + "0" * 30, "true", "null", '"1"']
REPORTS = st.lists(
    st.tuples(st.sampled_from(["loss", "loss", "nmi", *NAMES]), st.sampled_from(["0.5", "0.25", *NUMBERS])),
    min_size=1,
    max_size=2,
).flatmap(
    lambda pairs: st.sampled_from(["", "", "0", "1", *EPOCHS]).map(
        lambda epoch: "{" + ", ".join([f'"epoch": {epoch}'] * bool(epoch) + [f'"{n}": {v}' for n, v in pairs]) + "}"
    )
)
"""Objects of numbers, most of them such as a script prints."""

ODD_LINES = st.sampled_from(
    [
        "{",
        "[1, 2]",
        "[" * 3_000,
        '{"loss": ' + "[" * 100_000,
        "loss 0.5",
        '{"loss": 0.5} {"loss": 0.4}',
        '{"epoch": 1, "epoch": 2, "loss": 1}',
        '\r{"loss": 0.3}\r',
        '{"loss": 0.5',
        '{"loss": 0.5}\x00',
        "\u2028{}",
    ]
)
DEEDS = st.sampled_from(
    [
        "exit 3",
        "kill -9 $$",
        "kill -15 $$",
        "sleep 0.2",
        "exec 1>&-",
        "sleep 600 & true",
        "cd /",
        "echo 'RuntimeError: CUDA out of memory' >&2; exit 1",
        "head -c 3000000 /dev/zero",
        "rm -rf m.json; printf '{\"loss\": 0.25}' > m.json",
        "rm -rf m.json; printf 1 > m.json",
        "rm -rf m.json; printf '[[[' > m.json",
        "rm -rf m.json; printf '\\377' > m.json",
        "rm -rf m.json; mkdir m.json",
        'printf x > "$ORCHESTRATE_KEEP/assignments.npy"',
        'mkdir "$ORCHESTRATE_KEEP/assignments.npy"',
        'printf x > "$ORCHESTRATE_KEEP/weights"',
        'printf x > "$ORCHESTRATE_KEEP/weights.pt"',
        'rm -rf "$ORCHESTRATE_KEEP"',
        'printf \'{"loss": 1}\' > "$ORCHESTRATE_REPORT"',
        'rm -f "$ORCHESTRATE_REPORT"; mkdir "$ORCHESTRATE_REPORT"',
        'rm -rf "${ORCHESTRATE_REPORT%/*}"',
    ]
)
SAY, DO = "say", "do"
LINES = st.lists(
    st.one_of(
        *[st.tuples(st.just(SAY), REPORTS)] * 3, st.tuples(st.just(SAY), ODD_LINES), st.tuples(st.just(DO), DEEDS)
    ),
    max_size=5,
)
"""(whether a script prints it or does it, the line)."""

PLACES = [
    "",
    " {lr}",
    " {n_epochs}",
    " {data}",
    " {keep}",
    " {checkpoint}",
    " {config}",
    " {points}",
    " {gpus} {cores}",
]
OPTIONS: dict[str, list[object]] = {
    "n_epochs": [1, 2, 3],
    "first_epoch": [0, 1, None],
    "form": ["environment", "overrides", "file"],
    "metrics_file": ["m.json", "{out}/m.json", "{data}/m.json", "{nosuch}", "."],
    "files": [{"points": "points.csv"}, {"points": "."}],
    "gpus": [0, 0.5, 1, 4],
    "cores": [0.5, 1, 4, 1_000],
    "metrics": [{"purity": {"reads_labels": True, "percent": True}}, {"loss": {}}],
    "folder": [".", "sub", "nosuch"],
    "tolerance": [0.1],
}
FIELDS: dict[str, list[object]] = {
    "metric": ["loss", "loss", "loss", "nmi", "purity", "nosuch"],
    "datasets": [("gaussians:subset=40",), ("gaussians:subset=40,labels=none",)],
    "keep": ["confirm", "chosen"],
    "protocol": ["split"],
    "n_epochs": [1, 2],
    "failure_budget": [1.0, 0.0],
}


def some_of(known: dict[str, list[object]]) -> st.SearchStrategy[dict[str, object]]:
    """Return a few of the options, each with one of its values."""
    drawn = st.sampled_from(sorted(known)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(known[name])))
    return st.lists(drawn, max_size=3).map(dict)


CASES = st.tuples(LINES, st.sets(st.sampled_from(PLACES), max_size=2).map(sorted), some_of(OPTIONS), some_of(FIELDS))
"""(lines of the script, places of its command line, options of `command`, fields of the study)."""


def check(case: Any, results: Path) -> None:
    """Plan it and run what is accepted: every trial has a row, complete or failed by what the script did."""
    lines, places, options, fields = case
    folder = results.with_name("scripted")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "sub").mkdir(parents=True)
    (folder / "points.csv").write_text("1,2\n")
    (folder / "train.sh").write_text("".join(f"{written(*line)}\n" for line in lines))
    path = folder / "asked.py"
    line = f"sh {folder / 'train.sh'}{''.join(places)}"
    known = {"seed": "", "n_epochs": 2, **options}
    study = {"question": "q", "seeds": 2, "exploratory": True, "metric": "loss", "failure_budget": 1.0, **fields}
    declared = f"command({line!r}, knobs={{'lr': knob(0.1, Float(0, 1))}}, **{known!r})"
    path.write_text(f"{HEAD}STUDY = Study(design=fixed({declared}), **{study!r})\n")
    where = ["--results", str(folder / "ran")]
    if said(["plan", str(path), *where, "--json"])[0]:
        return
    status, told = said(["run", str(path), *where, "--address", "inline", "--no-report", "--trial-seconds", SECONDS])
    if status == 2:
        assert "trials of sh have no metric" in told, told
        return
    with Ledger(folder / "ran") as ledger:
        rows = ledger.trials()
    failed = rows[rows["state"] == "failed"]
    ours = failed[failed["error"].str.contains("Traceback") & (failed["failure_kind"] == "bug")]
    assert ours.empty, ours["error"].tolist()
    assert len(rows) == 2 or (status == 1 and fields.get("failure_budget") == 0.0), (told, rows["trial_id"].tolist())
    complete = rows[rows["state"] == "complete"]
    assert complete.empty or complete["metric.loss"].notna().all() or study["metric"] != "loss", complete


def written(kind: str, text: str) -> str:
    """Return a line as a shell has it."""
    return f"cat <<'END'\n{text}\nEND" if kind == SAY else text
