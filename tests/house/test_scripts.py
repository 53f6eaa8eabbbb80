"""Scripts that the tests do not run still find what they import of the project."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("orchestrator", "trainables", "studies", "analysis")
SCRIPTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests/benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_a_benchmark_imports_of_the_project_is_there(script):
    tree = ast.parse((ROOT / script).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    for node in imports:
        if node.module.partition(".")[0] in PRODUCT:
            module = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")  # a module of a package
