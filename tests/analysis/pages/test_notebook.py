from __future__ import annotations

import ast
import os
import re

import jupytext
import nbformat
import pytest

import orchestrator
from analysis.pages import notebook
from orchestrator.errors import OrchestratorError

SOURCES = [path.stem for path in (notebook.SOURCES.iterdir()) if path.suffix == ".py"]


@pytest.mark.parametrize("source", SOURCES)
def test_sources_read_as_notebooks_with_parameters_and_no_logic(source):
    text = notebook.SOURCES.joinpath(f"{source}.py").read_text(encoding="utf-8")
    cells = jupytext.reads(text, fmt="py:percent").cells
    assert sum("parameters" in cell.metadata.get("tags", ()) for cell in cells) == 1
    assert cells[0].cell_type == "markdown"
    assert not any(
        word in cell.source for cell in cells if cell.cell_type == "code" for word in ("def ", "class ", "while ")
    )


@pytest.mark.parametrize("source", SOURCES)
def test_sources_use_the_python_interface_and_nothing_else_of_the_project(source):
    text = notebook.SOURCES.joinpath(f"{source}.py").read_text(encoding="utf-8")
    imported = set()
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.ImportFrom), ast.unparse(node)
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    assert "orchestrator" in imported
    assert imported <= {"orchestrator", "matplotlib.pyplot"}  # pyplot: a reader's own figure
    used = {name for name in re.findall(r"dco\.(\w+)", text)}
    assert used <= set(orchestrator.__all__)


@pytest.mark.slow
@pytest.mark.sample
def test_the_notebook_runs_from_the_ledger_alone_and_leaves_nothing_behind(synthetic, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    target = notebook.execute("study", tmp_path / "n.ipynb", results=synthetic.results, study=synthetic.name)
    again = notebook.execute("study", tmp_path / "again.ipynb", results=synthetic.results, study=synthetic.name)
    assert target.read_bytes() == again.read_bytes()
    cells = nbformat.read(target, as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert sum("image/svg+xml" in output.get("data", {}) for output in outputs) >= 6
    assert set(os.listdir(home)) <= {".cache", ".config"}  # matplotlib's fonts; nothing of Jupyter or IPython


@pytest.mark.slow
def test_a_cell_that_raises_is_one_line(synthetic, tmp_path):
    with pytest.raises(OrchestratorError, match="did not execute") as caught:
        notebook.execute("study", tmp_path / "n.ipynb", results=synthetic.results, study="nonsense")
    assert "nonsense" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "n.ipynb").exists()
