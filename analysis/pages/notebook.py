"""Executes the notebooks: jupytext sources in `analysis/notebooks`, run by a kernel of this very Python."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.escaping import markdown
from analysis.pages.kernel import WaitingKernel, manager_of
from orchestrator.errors import OrchestratorError

if TYPE_CHECKING:
    from analysis.figures.drawing import Drawing
    from analysis.figures.section import Section

__all__ = ["SOURCES", "execute", "preload", "show", "show_section", "show_text"]

SOURCES = files("analysis").joinpath("notebooks")
CELL_SECONDS = 900
"""A cell that takes longer is stuck: notebooks read a ledger and draw, at most a family of studies a cell."""
START_SECONDS = 120


def preload() -> None:
    """Import what executing a notebook needs, ahead of time."""
    import jupyter_client.manager
    import jupytext
    import nbclient
    import nbformat

    assert all((jupyter_client, jupytext, nbclient, nbformat))


def execute(source: str, target: Path, *, results: Path, study: str = "", kernel: WaitingKernel | None = None) -> Path:
    """Execute `analysis/notebooks/<source>.py` with its parameters set, and write the notebook to `target`.

    Args:
        source: name of the percent-format source.
        target: where the executed .ipynb goes.
        results: the results folder, for the cell tagged `parameters`.
        study: the study's name, for the same cell; empty: the notebook is about several.
        kernel: one that waits for it, and ends with it; None: it is started now.

    Raises:
        OrchestratorError: a cell raised; the line says which error.
    """
    import jupytext
    import nbformat
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    text = SOURCES.joinpath(f"{source}.py").read_text(encoding="utf-8")
    content = jupytext.reads(text, fmt="py:percent")
    parameters = {"RESULTS": str(Path(results).resolve())} | ({"STUDY": study} if study else {})
    _set_parameters(content, **parameters)
    with kernel or WaitingKernel() as own:
        try:
            _client(content, own).execute(cwd=str(own.private))
        except (CellExecutionError, CellTimeoutError, DeadKernelError, RuntimeError) as error:
            # a kernel that dies or does not answer has said why in its log, if anywhere
            said = str(error) if isinstance(error, CellExecutionError) else f"{error}\n{own.log.read_text()}"
            reason = said.strip().splitlines()[-1]
            about = f"of study {study!r}" if study else repr(source)
            raise OrchestratorError(f"the notebook {about} did not execute: {reason}") from error
    content.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    _forget_when_it_ran(content)
    nbformat.write(content, target)  # type: ignore[no-untyped-call]
    return target


def _forget_when_it_ran(content: Any) -> None:
    """Name cells by their place and drop their times, so that the same notebook is the same bytes."""
    for place, cell in enumerate(content.cells):
        cell["id"] = f"cell-{place}"
        cell.metadata.pop("execution", None)


def _set_parameters(content: Any, **values: str) -> None:
    cell = next(cell for cell in content.cells if "parameters" in cell.metadata.get("tags", ()))
    cell.source = "\n".join(f"{name} = {value!r}" for name, value in values.items())


def _client(content: Any, kernel: WaitingKernel) -> Any:
    """Return what executes `content` in this kernel."""
    from nbclient import NotebookClient
    from traitlets.config import Config

    sockets = {
        "transport": "ipc",
        "ip": str(kernel.private / "kernel"),
        "connection_file": str(kernel.private / "kernel.json"),
    }
    return NotebookClient(
        content,
        timeout=CELL_SECONDS,
        startup_timeout=START_SECONDS,
        kernel_manager_class=manager_of(kernel),
        shutdown_kernel="immediate",
        config=Config({"ConnectionFileMixin": sockets}),
    )


def show(drawing: Drawing) -> None:
    """Show a figure with its caption in the notebook."""
    from IPython.display import SVG, Markdown, display

    from analysis.svg.writer import svg_of

    said = f"**{markdown(drawing.title)}.** {markdown(drawing.caption)}"
    display(Markdown(said), SVG(data=svg_of(drawing.figure, f"{drawing.key}-")))  # type: ignore[no-untyped-call]


def show_section(section: Section) -> None:
    """Show a section in the notebook: title, sentences, table, figures."""
    from IPython.display import HTML, display

    show_text(f"### {markdown(section.title)}\n\n{section.sentence}")
    if section.table:
        display(HTML(section.table))  # type: ignore[no-untyped-call]
    for drawing in section.drawings:
        show(drawing)


def show_text(text: str) -> None:
    """Show Markdown in the notebook; what of it comes from a ledger has gone through `escaping.markdown`."""
    from IPython.display import Markdown, display

    display(Markdown(text))  # type: ignore[no-untyped-call]
