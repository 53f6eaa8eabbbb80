"""The commands of `orchestrate`: each parses its options, hands over, and prints. Imports wait inside the commands."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator.bundles.profile import MOST_ON_A_CARD
from orchestrator.cli.signals import NOTHING_LOST, exit_with
from orchestrator.errors import FailureBudgetError, InterruptedRunError, OrchestratorError, RequestError

__all__ = ["app", "main"]

UsageProblem: type[Exception] = typer.BadParameter.__mro__[1]
"""What every wrong use of options and arguments is; typer brings its own click, under a private name."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Ablation and sensitivity studies of deep-clustering methods: plan, price, run on Ray Tune, answer.",
)

StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="name, dotted name or path of a study file")]
StudyOrAll = Annotated[str, typer.Argument(metavar="STUDY", help="name, dotted name or path of a study; or --all")]
All = Annotated[bool, typer.Option("--all", help="every study instead of one")]
Results = Annotated[Path, typer.Option("--results", help="folder of the ledger")]
Plugins = Annotated[list[str], typer.Option("--plugin", help="folder with methods/, datasets/, studies/ of your own")]
Settings = Annotated[
    list[str],
    typer.Option("--set", help="NAME=VALUE: dataset, seeds, epochs, protocol, precision, warm_start, METHOD.KNOB"),
]
TierName = Annotated[str, typer.Option("--tier", help="local, or paper where a study has it")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, nothing else")]

RESULTS = Path("results")


def _one_or_all(study: str, all_studies: bool, settings: list[str] | None = None) -> None:
    """Refuse a command that names neither a study nor --all, or both."""
    if bool(study) == all_studies:
        raise RequestError(
            "name one STUDY, or say --all" if not study else f"STUDY {study!r} and --all: only one of them"
        )
    if all_studies and settings:
        raise RequestError(f"--set {settings[0]!r} with --all is not allowed: settings belong to one study")


def _study(name: str, plugins: list[str], settings: list[str], tier: str) -> Any:
    from orchestrator.plan.planning import with_settings
    from orchestrator.study import check, load
    from orchestrator.study.tiers import in_tier

    study = with_settings(in_tier(load(name, plugins), tier), settings)
    check(study)
    return study


@app.command()
def studies(
    knob: Annotated[str, typer.Option(help="only studies over this knob (METHOD.KNOB or KNOB)")] = "",
    plugin: Plugins = [],  # noqa: B006  # typer reads the default, nobody mutates it
    as_json: AsJson = False,
) -> None:
    """List the studies: name, paper, question, methods, knobs, trials."""
    from orchestrator.cli import console, plan_view

    rows = plan_view.studies(tuple(plugin), knob)
    console.emit(rows, as_json, console.studies_table)


@app.command()
def plan(  # noqa: PLR0913, PLR0917  # typer makes an option of each parameter
    study: StudyOrAll = "",
    all_studies: All = False,
    results: Results = RESULTS,
    plugin: Plugins = [],  # noqa: B006
    settings: Settings = [],  # noqa: B006
    tier: TierName = "local",
    workers: Annotated[int, typer.Option(help="price for this many workers; 0: the cores of this machine")] = 0,
    probe: Annotated[
        bool, typer.Option(help="measure programs that were never trained here, for some seconds")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a study would train, what of it the ledger has, what it costs, and what it can detect."""
    from orchestrator.cli import console, every_study, plan_view, probes

    _one_or_all(study, all_studies, settings)
    if all_studies:
        plugins = tuple(plugin)
        found = every_study.plan(every_study.studies_of(tier, plugins), results, plugins, workers)
        console.emit(found, as_json, console.everything_text)
        return
    asked = _study(study, plugin, settings, tier)
    if probe:
        probes.probe_here(asked, results, tuple(plugin))
    found = plan_view.plan(asked, results, tuple(plugin), workers)
    console.emit(found, as_json, console.plan_text)


@app.command()
def run(  # noqa: PLR0913, PLR0917  # typer makes an option of each parameter
    study: StudyOrAll = "",
    all_studies: All = False,
    results: Results = RESULTS,
    address: Annotated[str, typer.Option(help="local, auto, HOST:PORT, or inline (no Ray)")] = "local",
    plugin: Plugins = [],  # noqa: B006
    settings: Settings = [],  # noqa: B006
    tier: TierName = "local",
    device: Annotated[str, typer.Option(help="auto (GPUs where there are any), cpu or cuda")] = "auto",
    bundles_per_gpu: Annotated[
        int, typer.Option(min=1, max=MOST_ON_A_CARD, help="of programs that cannot fuse, how many share a card")
    ] = 1,
    max_concurrent: Annotated[int, typer.Option(help="bundles at a time; 0: one per core or GPU")] = 0,
    time_budget: Annotated[float, typer.Option(min=0, help="stop cleanly after this many seconds; 0: never")] = 0.0,
    stall: Annotated[
        float, typer.Option(min=0, help="seconds without news after which a bundle is lost; 0: never")
    ] = 7200.0,
    budget_hours: Annotated[float, typer.Option(help="stop cleanly after these core- or GPU-hours; 0: never")] = 0.0,
    retry_failed: Annotated[str, typer.Option(help="failure kind to try again, or 'all'")] = "",
    only_current: Annotated[bool, typer.Option(help="count only ledger rows of the present code")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="take the results folder from a machine that is gone but keeps its lock")
    ] = False,
    notebook: Annotated[bool, typer.Option(help="execute the notebook too")] = True,
    answer: Annotated[bool, typer.Option("--report/--no-report", help="build the report when done")] = True,
    verbose: Annotated[bool, typer.Option(help="let Ray talk")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a study: plan minus ledger, then the report. Run it again: only what is missing is trained."""
    from orchestrator.cli.options import Request, executor_of, started_early

    _one_or_all(study, all_studies, settings)
    request = Request(
        results=results,
        address=address,
        plugins=tuple(plugin),
        device=device,
        bundles_per_gpu=bundles_per_gpu,
        max_concurrent=max_concurrent,
        time_budget=time_budget,
        budget_hours=budget_hours,
        stall=stall,
        retry_failed=retry_failed,
        only_current=only_current,
        take_over=take_over,
        notebook=notebook,
        report=answer,
        verbose=verbose,
        as_json=as_json,
    )
    if all_studies:
        from orchestrator.cli import every_study

        every_study.run(every_study.studies_of(tier, request.plugins), request)
        return
    asked, executor = _study(study, plugin, settings, tier), executor_of(request)
    catalogue = started_early(asked, request, executor)
    from orchestrator.cli import session

    session.run(asked, request, executor, catalogue)


@app.command()
def report(  # noqa: PLR0913, PLR0917  # typer makes an option of each parameter
    study: StudyOrAll = "",
    all_studies: All = False,
    results: Results = RESULTS,
    out: Annotated[Path | None, typer.Option(help="where the files go; default: beside the ledger")] = None,
    answers: Annotated[Path | None, typer.Option(help="with --all: write ANSWERS.md to this file too")] = None,
    tier: TierName = "local",
    notebook: Annotated[bool, typer.Option(help="execute the notebooks too")] = True,
    as_json: AsJson = False,
) -> None:
    """Write tables, figures, verdicts, HTML and notebook of a study, or of all with an index, from the ledger alone."""
    from orchestrator.cli import session
    from orchestrator.cli.options import Request
    from orchestrator.study import key_of

    _one_or_all(study, all_studies)
    if answers is not None and not all_studies:
        raise RequestError(f"--answers {str(answers)!r} without --all: ANSWERS.md is about every study")
    request = Request(results=results, out=out, answers=answers, notebook=notebook, as_json=as_json)
    if all_studies:
        session.report_all(request)
    else:
        session.report(key_of(study, tier), request)


@app.command()
def status(
    study: Annotated[str, typer.Argument(metavar="[STUDY]", help="one study; all if left out")] = "",
    results: Results = RESULTS,
    follow: Annotated[bool, typer.Option(help="look again every 2 seconds until it is done")] = False,
    as_json: AsJson = False,
) -> None:
    """Say how far studies are, what failed, what was spent; also while another terminal runs them."""
    from orchestrator.cli import console, inspection

    while True:
        found = inspection.status(results, study)
        console.emit(found, as_json, console.status_table)
        if not follow or not any(row["running"] and row["missing"] for row in found):
            return
        time.sleep(2.0)


@app.command()
def trial(
    trial_id: Annotated[str, typer.Argument(metavar="ID", help="a trial's id, or its beginning")],
    results: Results = RESULTS,
    as_json: AsJson = False,
) -> None:
    """Show one trial: config, attempts with error and cost, rows, the command that trains it again."""
    from orchestrator.cli import console, inspection

    console.emit(inspection.trial(results, trial_id), as_json, console.trial_text)


@app.command()
def verify(  # noqa: PLR0913, PLR0917  # typer makes an option of each parameter
    study: StudyOrAll = "",
    all_studies: All = False,
    results: Results = RESULTS,
    sample: Annotated[int, typer.Option(help="how many complete trials to train again")] = 5,
    seed: Annotated[int, typer.Option(help="another seed draws another sample")] = 0,
    trial_id: Annotated[str, typer.Option("--trial", help="train again just this one")] = "",
    plugin: Plugins = [],  # noqa: B006
    tier: TierName = "local",
    as_json: AsJson = False,
) -> None:
    """Train a sample of complete trials again, each alone, and compare with the ledger; exit 1 if any differs."""
    from orchestrator.cli import console
    from orchestrator.run import verification
    from orchestrator.study import key_of

    _one_or_all(study, all_studies)
    draw = verification.Draw(sample, seed, trial_id)
    found = verification.verify(key_of(study, tier) if study else "", results, draw, tuple(plugin))
    console.emit(found, as_json, console.verification_text)
    if found["differ"]:
        raise OrchestratorError(f"{len(found['differ'])} of {found['n_trials']} trials came out differently")


@app.command()
def export(  # noqa: PLR0913, PLR0917  # typer makes an option of each parameter
    study: Annotated[str, typer.Argument(metavar="STUDY", help="name of a study; or --ledger")] = "",
    target: Annotated[Path | None, typer.Argument(metavar="FILE", help="FILE.csv or FILE.parquet")] = None,
    ledger: Annotated[Path | None, typer.Option(help="a folder for the whole ledger, to keep and to read")] = None,
    most_mb: Annotated[float, typer.Option(help="with --ledger: learning curves are thinned until it fits")] = 20.0,
    tensorboard: Annotated[
        Path | None, typer.Option(help="a folder for the study's trials as TensorBoard runs")
    ] = None,
    follow: Annotated[bool, typer.Option(help="with --tensorboard: add new trials every 5 s until it is done")] = False,
    results: Results = RESULTS,
    tier: TierName = "local",
) -> None:
    """Write a study's view (plan and ledger) as CSV, Parquet or TensorBoard runs; or --ledger: that of all."""
    from orchestrator.cli import inspection
    from orchestrator.study import key_of

    if ledger is not None:
        if study:
            raise RequestError(f"export STUDY {study!r} with --ledger: a kept ledger holds every study")
        typer.echo(inspection.export_ledger(results, ledger, most_mb))
    elif follow and tensorboard is None:
        raise RequestError("--follow without --tensorboard DIR: only TensorBoard's runs are added to")
    elif tensorboard is not None and study and target is None:
        for line in inspection.export_tensorboard(results, key_of(study, tier), tensorboard, follow=follow):
            typer.echo(line)
    elif study and target is not None:
        typer.echo(f"{inspection.export(results, key_of(study, tier), target)} rows in {target}")
    else:
        raise RequestError("name STUDY and FILE, or STUDY --tensorboard DIR, or say --ledger DIR")


@app.command()
def clean(
    results: Results = RESULTS,
    remove: Annotated[bool, typer.Option(help="delete checkpoints and artifacts; rows are never touched")] = False,
    as_json: AsJson = False,
) -> None:
    """Show disk use; with --remove, delete checkpoints and artifacts."""
    from orchestrator.cli import console, inspection

    console.emit(inspection.clean(results, remove=remove), as_json, console.folders_table)


@app.command()
def doctor(
    results: Results = RESULTS,
    address: Annotated[str, typer.Option(help="ask every node of this cluster too: auto or HOST:PORT")] = "",
    repair: Annotated[bool, typer.Option(help="move broken and foreign files to results/quarantine")] = False,
    plugin: Plugins = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Say what this machine (and cluster) offers, which datasets are there, and what is wrong with the results."""
    from orchestrator.cli import console, inspection

    found = inspection.doctor(results, repair=repair, plugins=tuple(plugin), address=address)
    console.emit(found, as_json, console.doctor_text)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 done, 1 too many failures, 2 wrong request, 130 interrupted."""
    try:
        result = app(arguments, standalone_mode=False)
        status = result if isinstance(result, int) else 0
    except UsageProblem as error:
        status = _complain(error.format_message(), 2)  # type: ignore[attr-defined]  # every click exception has it
    except typer.Abort:
        status = _complain(f"interrupted; {NOTHING_LOST}", 130)
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
    exit_with(status)


def _complain(text: str, status: int) -> int:
    line = " ".join(text.split())
    if "--json" in sys.argv:
        print(json.dumps({"error": line, "exit_status": status}))
    print(f"orchestrate: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
