"""The options of every command, as frozen dataclasses: one for each command, and parts that several commands share.

`command_line` makes the command line of a command from its dataclass: a field is an option or an argument, its default
is the default, its annotation holds the help.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from orchestrator.bundles.profile import MOST_ON_A_CARD
from orchestrator.cli.command_line import Argument, Option
from orchestrator.cli.completion import SHELLS
from orchestrator.cli.new_files import KINDS as NEW
from orchestrator.errors import RequestError
from orchestrator.trial import FailureKind, Limits

if TYPE_CHECKING:
    from orchestrator.executors.base import ExecutorOptions

__all__ = ["CleanOptions", "CompletionOptions", "DoctorOptions", "ExportOptions", "MergeOptions", "NewOptions"]
__all__ += ["PlanOptions", "PredictOptions", "ReportOptions", "RetractOptions", "RunOptions", "ServeOptions"]
__all__ += ["StatusOptions", "StudiesOptions", "TrialOptions", "VerifyOptions"]

StudyOrAll = Annotated[str, Argument(metavar="STUDY", help="name, dotted name or path of a study; or --all")]
Results = Annotated[Path, Option("--results", help="folder of the ledger")]
Plugins = Annotated[list[str], Option("--plugin", help="folder with methods/, datasets/, studies/ of your own")]
Settings = Annotated[
    list[str],
    Option(
        "--set",
        help="NAME=VALUE: dataset, clusters, metric, margin, seeds, epochs, precision, protocol, ..., or a knob "
        "(METHOD.KNOB)",
    ),
]
Verbose = Annotated[bool, Option("--verbose", help="every sentence of the answer; of a run, let Ray talk too")]
Quiet = Annotated[bool, Option("--quiet", help="nothing but the question and the answer in one line")]
AsJson = Annotated[bool, Option("--json", help="print JSON, nothing else")]

RESULTS = Path("results")

MOST_WORKERS = 100_000

MOST_SAMPLED = 1_000_000

DEVICES = ("auto", "cpu", "cuda")

KINDS = ("all", *FailureKind)


@dataclass(frozen=True, kw_only=True)
class StudyOrAllOptions:
    """One study, or all of a tier."""

    study: StudyOrAll = ""
    all_studies: Annotated[bool, Option("--all", help="every study instead of one")] = False
    tier: Annotated[str, Option("--tier", help="local; quick or paper where a study has it")] = "local"
    results: Results = RESULTS
    as_json: AsJson = False

    def require_one_or_all(self, settings: list[str] | None = None) -> None:
        """Refuse a command that names neither a study nor --all, or both, or settings for all.

        Raises:
            RequestError: one line that says what to name.
        """
        if bool(self.study) == self.all_studies:
            raise RequestError(
                "name one STUDY, or say --all"
                if not self.study
                else f"STUDY {self.study!r} and --all: only one of them"
            )
        if self.all_studies and settings:
            raise RequestError(f"--set {settings[0]!r} with --all is not allowed: settings belong to one study")


@dataclass(frozen=True, kw_only=True)
class StudiesOptions:
    """Options of `orchestrate studies`."""

    knob: Annotated[str, Option(help="only studies over this knob (METHOD.KNOB or KNOB)")] = ""
    plugin: Plugins = field(default_factory=list)
    as_json: AsJson = False


@dataclass(frozen=True, kw_only=True)
class PlanOptions(StudyOrAllOptions):
    """Options of `orchestrate plan`."""

    plugin: Plugins = field(default_factory=list)
    settings: Settings = field(default_factory=list)
    workers: Annotated[
        int, Option(min=0, max=MOST_WORKERS, help="price for this many workers; 0: the cores of this machine")
    ] = 0
    probe: Annotated[
        bool, Option("--probe", help="measure programs that were never trained here, for some seconds")
    ] = False


@dataclass(frozen=True, kw_only=True)
class RunOptions(StudyOrAllOptions):
    """Options of `orchestrate run`."""

    address: Annotated[str, Option(help="local, auto, HOST:PORT, inline (no Ray), or an executor of your own")] = (
        "local"
    )
    plugin: Plugins = field(default_factory=list)
    settings: Settings = field(default_factory=list)
    device: Annotated[str, Option(among=DEVICES, help="auto (GPUs where there are any), cpu or cuda")] = "auto"
    bundles_per_gpu: Annotated[
        int, Option(min=1, max=MOST_ON_A_CARD, help="of programs that cannot fuse, how many share a card")
    ] = 1
    max_concurrent: Annotated[
        int, Option(min=0, max=MOST_WORKERS, help="bundles at a time; 0: one per core or GPU")
    ] = 0
    time_budget: Annotated[float, Option(min=0, help="stop cleanly after this many seconds; 0: never")] = 0.0
    stall: Annotated[float, Option(min=0, help="seconds without news after which a bundle is lost; 0: never")] = 7200.0
    trial_seconds: Annotated[float, Option(min=0, help="a trial that takes longer has failed; 0: never")] = 0.0
    trial_memory: Annotated[float, Option(min=0, help="GiB that a trial may add to its worker; 0: all there is")] = 0.0
    budget_hours: Annotated[
        list[str],
        Option(
            "--budget-hours",
            help="stop cleanly after these core- or GPU-hours: HOURS, or CARD=HOURS for cards so named; of this "
            "command, or with study: or folder: in front of that and its earlier runs too; may be given several times",
        ),
    ] = field(default_factory=list)
    retry_failed: Annotated[str, Option(among=KINDS, help="failure kind to try again, or 'all'")] = ""
    only_current: Annotated[bool, Option("--only-current", help="count only ledger rows of the present code")] = False
    take_over: Annotated[
        bool, Option("--take-over", help="take the results folder from a machine that is gone but keeps its lock")
    ] = False
    wait: Annotated[float, Option(min=0, help="seconds to wait for another run that holds the results folder")] = 0.0
    tracker: Annotated[
        list[str],
        Option(
            "--tracker", help="show trials as they end: wandb, mlflow or tensorboard, or NAME=DIR; else in the results"
        ),
    ] = field(default_factory=list)
    notebook: Annotated[bool, Option("--notebook/--no-notebook", help="execute the notebook too")] = True
    report: Annotated[bool, Option("--report/--no-report", help="build the report when done")] = True
    verbose: Verbose = False
    quiet: Quiet = False

    @property
    def plugins(self) -> tuple[str, ...]:
        """The folders of the user's own files."""
        return tuple(self.plugin)

    @property
    def trackers(self) -> list[tuple[str, Path]]:
        """The trackers that show trials as they end, with their folders."""
        return [_tracker(text, self.results / "trackers") for text in self.tracker]

    @property
    def executor(self) -> ExecutorOptions:
        """Where bundles are trained."""
        from orchestrator.executors.base import ExecutorOptions

        return ExecutorOptions(
            address=self.address,
            device=self.device,
            bundles_per_gpu=self.bundles_per_gpu,
            max_concurrent=self.max_concurrent,
            stall_seconds=self.stall,
            verbose=self.verbose,
        )

    @property
    def limits(self) -> Limits:
        """What a trial may take."""
        memory = int(self.trial_memory * 2**30)
        return Limits(seconds=self.trial_seconds or None, memory_bytes=memory or None)

    @property
    def reporting(self) -> ReportOptions:
        """The options of the report that follows."""
        return ReportOptions(
            results=self.results,
            notebook=self.notebook,
            as_json=self.as_json,
            verbose=self.verbose,
            quiet=self.quiet,
        )


@dataclass(frozen=True, kw_only=True)
class ReportOptions(StudyOrAllOptions):
    """Options of `orchestrate report`."""

    out: Annotated[Path | None, Option(help="where the files go; default: beside the ledger")] = None
    answers: Annotated[Path | None, Option(help="with --all: write ANSWERS.md to this file too")] = None
    notebook: Annotated[bool, Option("--notebook/--no-notebook", help="execute the notebooks too")] = True
    png: Annotated[bool, Option("--png", help="write the figures of one study as PNG too, beside SVG")] = False
    verbose: Verbose = False
    quiet: Quiet = False


@dataclass(frozen=True, kw_only=True)
class StatusOptions:
    """Options of `orchestrate status`."""

    study: Annotated[str, Argument(metavar="[STUDY]", help="one study; all if left out")] = ""
    results: Results = RESULTS
    follow: Annotated[bool, Option("--follow", help="look again every 2 seconds until it is done")] = False
    as_json: AsJson = False


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Options of `orchestrate serve`."""

    results: Results = RESULTS
    port: Annotated[int, Option(min=0, max=65535, help="on this machine; 0: a free one")] = 0


@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    """Options of `orchestrate trial`."""

    trial_id: Annotated[str, Argument(metavar="ID", help="a trial's id, or its beginning")]
    results: Results = RESULTS
    as_json: AsJson = False


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Options of `orchestrate predict`."""

    trial_id: Annotated[str, Argument(metavar="ID", help="a trial's id, or its beginning; its study has keep=")]
    data: Annotated[Path, Argument(metavar="DATA", help="a .npy file of new points, as the dataset's are once loaded")]
    out: Annotated[Path | None, Option(help="a .npy file for their clusters; default: beside DATA")] = None
    results: Results = RESULTS
    plugin: Plugins = field(default_factory=list)
    as_json: AsJson = False


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(StudyOrAllOptions):
    """Options of `orchestrate verify`."""

    sample: Annotated[int, Option(min=1, max=MOST_SAMPLED, help="how many complete trials to train again")] = 5
    seed: Annotated[int, Option(min=0, max=2**32 - 1, help="another seed draws another sample")] = 0
    trial_id: Annotated[str, Option("--trial", help="train again just this one")] = ""
    plugin: Plugins = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Options of `orchestrate export`."""

    study: Annotated[str, Argument(metavar="STUDY", help="name of a study; or --ledger")] = ""
    target: Annotated[Path | None, Argument(metavar="FILE", help="FILE.csv or FILE.parquet")] = None
    ledger: Annotated[Path | None, Option(help="a folder for the whole ledger, to keep and to read")] = None
    most_mb: Annotated[float, Option(min=0.1, help="with --ledger: learning curves are thinned until it fits")] = 20.0
    tensorboard: Annotated[Path | None, Option(help="a folder for the study's trials as TensorBoard runs")] = None
    wandb: Annotated[Path | None, Option(help="a folder for the study's trials as offline W&B runs")] = None
    mlflow: Annotated[Path | None, Option(help="a folder for the study's trials as a local MLflow store")] = None
    tracker: Annotated[list[str], Option("--tracker", help="NAME=DIR: your own tracker")] = field(default_factory=list)
    follow: Annotated[bool, Option("--follow", help="with a tracker: add new trials every 5 s until all are")] = False
    plugin: Plugins = field(default_factory=list)
    results: Results = RESULTS
    tier: Annotated[str, Option("--tier", help="local; quick or paper where a study has it")] = "local"

    @property
    def trackers(self) -> list[tuple[str, Path]]:
        """The trackers that are named, with their folders."""
        named = {"tensorboard": self.tensorboard, "wandb": self.wandb, "mlflow": self.mlflow}
        own = [_tracker(text, Path()) for text in self.tracker]
        return [*((name, target) for name, target in named.items() if target is not None), *own]


def _tracker(text: str, default: Path) -> tuple[str, Path]:
    """Return the name and the folder of a tracker that is written NAME=DIR, or NAME if there is a default.

    Raises:
        RequestError: it is not.
    """
    name, _, target = text.partition("=")
    if not name or (not target and default == Path()):
        raise RequestError(f"--tracker {text!r} is not NAME=DIR")
    return name, Path(target) if target else default / name


@dataclass(frozen=True, kw_only=True)
class CleanOptions:
    """Options of `orchestrate clean`."""

    results: Results = RESULTS
    remove: Annotated[bool, Option("--remove", help="delete checkpoints and artifacts; rows are never touched")] = False
    kept: Annotated[bool, Option("--kept", help="delete what studies keep of trials: weights and the like")] = False
    as_json: AsJson = False


@dataclass(frozen=True, kw_only=True)
class DoctorOptions:
    """Options of `orchestrate doctor`."""

    results: Results = RESULTS
    address: Annotated[str, Option(help="ask every node of this cluster too: auto or HOST:PORT")] = ""
    repair: Annotated[bool, Option("--repair", help="move broken and foreign files to results/quarantine")] = False
    plugin: Plugins = field(default_factory=list)
    as_json: AsJson = False


@dataclass(frozen=True, kw_only=True)
class RetractOptions:
    """Options of `orchestrate retract`."""

    trial_ids: Annotated[str, Argument(metavar="ID[,ID...]", help="ids of trials, or their beginnings")]
    reason: Annotated[str, Option(help="why, in a line; it is shown wherever the trials are")] = ""
    results: Results = RESULTS


@dataclass(frozen=True, kw_only=True)
class NewOptions:
    """Options of `orchestrate new`."""

    kind: Annotated[str, Argument(metavar="KIND", among=NEW, help="study, method or script")]
    name: Annotated[str, Argument(metavar="NAME", help="of the study, method or script: a Python name")]
    folder: Annotated[Path, Option("--folder", help="where it goes")] = Path()


@dataclass(frozen=True, kw_only=True)
class CompletionOptions:
    """Options of `orchestrate completion`."""

    shell: Annotated[str, Argument(metavar="SHELL", among=SHELLS, help="bash, zsh or fish")] = "bash"


@dataclass(frozen=True, kw_only=True)
class MergeOptions:
    """Options of `orchestrate merge`."""

    other: Annotated[Path, Argument(metavar="OTHER", help="the results folder whose content comes; it is only read")]
    results: Results = RESULTS
