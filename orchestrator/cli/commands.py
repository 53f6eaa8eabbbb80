"""The commands of `orchestrate`: each takes its options, hands over, and prints. Imports wait inside the commands."""

from __future__ import annotations

import contextlib
import errno
import resource
import sys
import time

from orchestrator import __version__
from orchestrator.cli.command_line import CommandLine
from orchestrator.cli.options import (
    CleanOptions,
    CompletionOptions,
    DoctorOptions,
    ExportOptions,
    MergeOptions,
    NewOptions,
    PlanOptions,
    PredictOptions,
    ReportOptions,
    RetractOptions,
    RunOptions,
    ServeOptions,
    StatusOptions,
    StudiesOptions,
    TrialOptions,
    VerifyOptions,
)
from orchestrator.cli.output import kept_apart, say, say_json
from orchestrator.cli.signals import NOTHING_LOST, exit_with
from orchestrator.errors import (
    FailureBudgetError,
    InterruptedRunError,
    OrchestratorError,
    RequestError,
    UnknownNameError,
    shown,
)
from orchestrator.machine import memory_pool

__all__ = ["app", "main"]

FOLLOW_SECONDS = 2.0

EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""What a machine has run out of: no fault of the program, and said in a line."""

NOT_TO_BE_HAD = {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM}
"""What is wrong with a path that somebody named."""

NO_ROOM = ("failed to map segment", "can't start new thread", "can't allocate memory", "bad_alloc", "pthread_create")
"""What the loader, Python, torch, C++ and OpenMP say when there is no room for a library, a thread or an array."""

app = CommandLine(
    "orchestrate",
    "Ablation and sensitivity studies of deep-clustering methods: plan, price, run on Ray Tune, answer.",
    __version__,
)


@app.command(StudiesOptions)
def studies(options: StudiesOptions) -> None:
    """List the studies: name, paper, question, methods, knobs, trials."""
    from orchestrator.cli import console
    from orchestrator.plan.study_list import study_list

    console.emit(study_list(tuple(options.plugin), options.knob), options.as_json, console.studies_table)


@app.command(PlanOptions)
def plan(options: PlanOptions) -> None:
    """Show what a study would train, what of it the ledger has, what it costs, and what it can detect."""
    from orchestrator.cli import console, plan_view

    options.require_one_or_all(options.settings)
    if options.all_studies:
        console.emit(plan_view.plans_of_all(options), options.as_json, console.all_plans_text)
        return
    found = plan_view.plan_of_one(options)
    console.emit(found, options.as_json, console.plan_text)
    if found["refused"]:
        raise RequestError(found["refused"])


@app.command(RunOptions)
def run(options: RunOptions) -> None:
    """Run a study: plan minus ledger, then the report. Run it again: only what is missing is trained."""
    options.require_one_or_all(options.settings)
    if options.all_studies:
        from orchestrator.cli import every_study

        every_study.run(options)
    else:
        _run_one(options)


def _run_one(options: RunOptions) -> None:
    """Train what a study misses, then report; what workers import begins before all else that a run needs."""
    from orchestrator.cli.requested_study import is_new
    from orchestrator.executors import executor_of

    executor = executor_of(options.executor, options.plugins)
    with contextlib.closing(executor):
        if is_new(options):
            executor.anticipate()
        from orchestrator.cli import session

        session.run(options, executor)


@app.command(ReportOptions)
def report(options: ReportOptions) -> None:
    """Write tables, figures, verdicts, HTML and notebook of a study, or of all with an index, from the ledger alone."""
    from orchestrator.cli import reporting
    from orchestrator.study import key_of

    options.require_one_or_all()
    if options.png and options.all_studies:
        raise RequestError("--png goes with one STUDY, not with --all")
    if options.answers is not None and not options.all_studies:
        raise RequestError(f"--answers {str(options.answers)!r} without --all: ANSWERS.md is about every study")
    if options.all_studies:
        reporting.report_all(options)
    else:
        reporting.report(key_of(options.study, options.tier), options)


@app.command(StatusOptions)
def status(options: StatusOptions) -> None:
    """Say how far studies are, what failed, what was spent; also while another terminal runs them."""
    memory_pool.keep_little()
    from orchestrator.cli import console
    from orchestrator.inspection.status import status as status_of

    while True:
        found = status_of(options.results, options.study)
        console.emit(found, options.as_json, console.status_table)
        if not options.follow or not any(row["running"] and row["missing"] for row in found):
            return
        time.sleep(FOLLOW_SECONDS)


@app.command(ServeOptions)
def serve(options: ServeOptions) -> None:
    """Show a live page of the results folder on this machine: read only, with a token, until interrupted."""
    try:
        from analysis.live import server
    except ImportError as error:
        raise RequestError(
            f"serve needs {error.name}: pip install 'deep-clustering-orchestrator[serve]' brings it"
        ) from error
    server.serve(options.results, options.port, say)


@app.command(TrialOptions)
def trial(options: TrialOptions) -> None:
    """Show one trial: config, attempts with error and cost, rows, the command that trains it again."""
    memory_pool.keep_little()
    from orchestrator.cli import console
    from orchestrator.inspection.trial_view import trial_view

    console.emit(trial_view(options.results, options.trial_id), options.as_json, console.trial_text)


@app.command(PredictOptions)
def predict(options: PredictOptions) -> None:
    """Write the clusters of new points, by the weights that a study kept of a trial."""
    from orchestrator.cli import console
    from orchestrator.run.prediction import predict as predicted

    found = predicted(options.results, options.trial_id, options.data, options.out, tuple(options.plugin))
    console.emit(found, options.as_json, lambda one: say(one["sentence"]))


@app.command(VerifyOptions)
def verify(options: VerifyOptions) -> None:
    """Train a sample of complete trials again, each alone, and compare with the ledger; exit 1 if any differs."""
    from orchestrator.cli import console
    from orchestrator.run import verification
    from orchestrator.study import key_of

    options.require_one_or_all()
    draw = verification.Draw(options.sample, options.seed, options.trial_id)
    name = key_of(options.study, options.tier) if options.study else ""
    found = verification.verify(name, options.results, draw, tuple(options.plugin))
    console.emit(found, options.as_json, console.verification_text)
    if found["differ"]:
        raise OrchestratorError(f"{len(found['differ'])} of {found['n_trials']} trials came out differently")


@app.command(ExportOptions)
def export(options: ExportOptions) -> None:
    """Write a study's view as CSV or Parquet, or its trials into trackers; or --ledger: the rows of all studies."""
    from orchestrator.inspection import study_table, tracking
    from orchestrator.ledger.exporting import export_ledger
    from orchestrator.study import key_of

    study, results, trackers = options.study, options.results, options.trackers
    if options.ledger is not None:
        if study:
            raise RequestError(f"export STUDY {study!r} with --ledger: a kept ledger holds every study")
        kept = export_ledger(results, options.ledger, int(options.most_mb * 2**20))
        say(kept.sentence(options.ledger))
    elif options.follow and not trackers:
        raise RequestError("--follow without --tensorboard DIR, --wandb DIR or --mlflow DIR: only they are added to")
    elif trackers and study and options.target is None:
        key, plugins = key_of(study, options.tier), tuple(options.plugin)
        for line in tracking.exports(results, key, trackers, plugins, follow=options.follow):
            say(line)
    elif study and options.target is not None:
        n_rows = study_table.export_study(results, key_of(study, options.tier), options.target)
        say(f"{n_rows} rows in {options.target}")
    else:
        raise RequestError("name STUDY and FILE, or STUDY --tensorboard DIR, or say --ledger DIR")


@app.command(CleanOptions)
def clean(options: CleanOptions) -> None:
    """Show disk use; with --remove, delete checkpoints and artifacts; with --kept, what studies keep of trials."""
    from orchestrator.cli import console
    from orchestrator.inspection.disk_use import clean as cleaned

    console.emit(
        cleaned(options.results, remove=options.remove, remove_kept=options.kept),
        options.as_json,
        console.folders_table,
    )


@app.command(DoctorOptions)
def doctor(options: DoctorOptions) -> None:
    """Say what this machine (and cluster) offers, which datasets are there, and what is wrong with the results."""
    from orchestrator.cli import console
    from orchestrator.inspection.doctor import doctor as examined

    found = examined(options.results, repair=options.repair, plugins=tuple(options.plugin), address=options.address)
    console.emit(found, options.as_json, console.doctor_text)


@app.command(RetractOptions)
def retract(options: RetractOptions) -> None:
    """Retract trials, with the reason: their rows stay visible, and count as nothing; a run trains them again."""
    from orchestrator.ledger import Ledger

    with Ledger(options.results, writable=True) as ledger:
        n_trials = ledger.retract(ledger.ids_of(options.trial_ids.split(",")), options.reason)
    say(f"{n_trials} trial{'' if n_trials == 1 else 's'} retracted in {options.results}")


@app.command(MergeOptions)
def merge(options: MergeOptions) -> None:
    """Put another results folder into this one: the trials of both, once each; where they disagree, that is said."""
    from orchestrator.ledger import Ledger

    with Ledger(options.results, writable=True) as ledger:
        say(ledger.merge(options.other).sentence(options.other))


@app.command(NewOptions)
def new(options: NewOptions) -> None:
    """Write a commented study, method or script that runs as it is, to be changed."""
    from orchestrator.cli.new_files import KINDS, written

    if options.kind not in KINDS:
        raise UnknownNameError("kind of file", options.kind, KINDS)
    paths = written(options.kind, options.name, options.folder)
    plugin = f" --plugin {options.folder}" if options.kind == "method" else ""
    say("\n".join([*(f"wrote {path}" for path in paths), f"try it: orchestrate run {paths[-1]}{plugin}"]))


@app.command(CompletionOptions)
def completion(options: CompletionOptions) -> None:
    """Print what makes a shell complete commands, options and studies: eval "$(orchestrate completion bash)"."""
    from orchestrator import discovery
    from orchestrator.cli.completion import SHELLS, script

    if options.shell not in SHELLS:
        raise UnknownNameError("shell", options.shell, SHELLS)
    say(script(options.shell, app.program, app.words(), discovery.names("study")))


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 too many failures, 2 wrong request, 130 interrupted."""
    with kept_apart():
        status = _status_of(sys.argv[1:] if arguments is None else arguments)
    exit_with(status)


def _status_of(arguments: list[str]) -> int:
    try:
        app.run(arguments)
        status = 0
    except InterruptedRunError as error:
        status = _complain(str(error), 130)
    except FailureBudgetError as error:
        status = _complain(str(error), 1)
    except RequestError as error:
        status = _complain(str(error), 2)
    except OrchestratorError as error:
        status = _complain(str(error), 1)
    except KeyboardInterrupt:
        status = _complain(f"interrupted; {NOTHING_LOST}", 130)
    except (ImportError, MemoryError, OSError, RuntimeError, SystemError) as error:
        if isinstance(error, OSError) and error.errno in NOT_TO_BE_HAD and error.filename is not None:
            return _complain(f"{shown(error.filename)} cannot be used: {error.strerror}", 2)
        said = _exhausted(error)
        if not said:
            raise
        status = _complain(f"{said}; {NOTHING_LOST}", 1)
    return status


def _exhausted(error: BaseException) -> str:
    """Return what this machine, or this process by its limits, has run out of; empty: the error is another one."""
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{where}" if error.errno in EXHAUSTED else ""
    limited = resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY  # libraries fail in many words then
    limited = limited and not isinstance(error, RuntimeError)
    full = isinstance(error, MemoryError) or limited or any(words in str(error) for words in NO_ROOM)
    return f"memory or threads ran out in this process ({type(error).__name__})" if full else ""


def _complain(text: str, status: int) -> int:
    line = " ".join(text.split())
    if "--json" in sys.argv:
        say_json({"error": line, "exit_status": status})
    print(f"orchestrate: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
