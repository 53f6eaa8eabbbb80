"""Measures of the source that the house is held to: sizes, comprehensions, parameters, private names in tests.

`python tests/support/measures.py` prints them for the product, with every place that is over a limit.
"""

from __future__ import annotations

import ast
import statistics
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

PRODUCT = ("orchestrator", "trainables", "studies", "analysis")

PLUG_INS = (
    "trainables/methods",
    "trainables/datasets",
    "trainables/metrics",
    "trainables/losses",
    "studies",
    "orchestrator/designs",
    "orchestrator/search/samplers",
    "orchestrator/search/pruners",
    "analysis/notebooks",
)
"""Folders in which one file is one thing of a kind."""

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 350, 50, 7
MOST_CLASS_LINES, MOST_PUBLIC_METHODS = 250, 15
MOST_MODULES = 15
MOST_COMPREHENSIONS = 2.0
"""In 100 lines, over the whole product."""


@dataclass(frozen=True)
class Source:
    """One Python file of the repository."""

    path: str
    """From the root of the repository."""
    tree: ast.Module
    n_lines: int


def tracked(*folders: str) -> list[str]:
    """Return the Python files of the repository below some folders, tracked by git or not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(path for path in set(found) if path.endswith(".py") and (ROOT / path).is_file())


def sources(*folders: str) -> list[Source]:
    """Return the parsed Python files below some folders."""
    made = []
    for path in tracked(*folders):
        text = (ROOT / path).read_text(encoding="utf-8")
        made.append(Source(path, ast.parse(text), text.count("\n")))
    return made


def long_files(of: list[Source]) -> list[str]:
    """Return the files with more than `MOST_LINES` lines."""
    return [f"{source.path}: {source.n_lines} lines" for source in of if source.n_lines > MOST_LINES]


def functions(of: list[Source]) -> Iterator[tuple[Source, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield every function and method with its file."""
    for source in of:
        for node in ast.walk(source.tree):
            if isinstance(node, FUNCTIONS):
                yield source, node


def n_lines_of(node: ast.stmt) -> int:
    """Return the lines of a function or class, decorators left out."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def body_lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body, its docstring left out."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def long_functions(of: list[Source]) -> list[str]:
    """Return the functions with more than `MOST_FUNCTION_LINES` lines."""
    found = []
    for source, node in functions(of):
        if n_lines_of(node) > MOST_FUNCTION_LINES:
            found.append(f"{source.path}:{node.lineno} {node.name}: {n_lines_of(node)} lines")
    return found


def wide_functions(of: list[Source]) -> list[str]:
    """Return the functions with more than `MOST_PARAMETERS` parameters, `self` and `cls` left out."""
    found = []
    for source, node in functions(of):
        named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        count = len([one for one in named if one.arg not in ("self", "cls")])
        if count > MOST_PARAMETERS:
            found.append(f"{source.path}:{node.lineno} {node.name}: {count} parameters")
    return found


def large_classes(of: list[Source]) -> list[str]:
    """Return the classes with too many public methods or lines."""
    found = []
    for source in of:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                methods = [one for one in node.body if isinstance(one, FUNCTIONS) and not one.name.startswith("_")]
                if len(methods) > MOST_PUBLIC_METHODS or n_lines_of(node) > MOST_CLASS_LINES:
                    found.append(
                        f"{source.path}:{node.lineno} {node.name}: {len(methods)} methods, {n_lines_of(node)} lines"
                    )
    return found


def crowded_folders(of: list[Source]) -> list[str]:
    """Return the package folders with more than `MOST_MODULES` modules of their own, plug-in folders left out."""
    counts: dict[str, int] = {}
    for source in of:
        folder, name = source.path.rsplit("/", 1)
        if name != "__init__.py" and folder not in PLUG_INS:
            counts[folder] = counts.get(folder, 0) + 1
    return [f"{folder}: {count} modules" for folder, count in sorted(counts.items()) if count > MOST_MODULES]


def n_comprehensions(of: list[Source]) -> dict[str, int]:
    """Return how many comprehensions each file has."""
    found = {}
    for source in of:
        found[source.path] = sum(isinstance(node, COMPREHENSIONS) for node in ast.walk(source.tree))
    return found


def comprehensions_in_100_lines(of: list[Source]) -> float:
    """Return comprehensions in 100 lines, over all files together."""
    return 100.0 * sum(n_comprehensions(of).values()) / sum(source.n_lines for source in of)


def nested_comprehensions(of: list[Source]) -> list[str]:
    """Return the comprehensions that hold another one, or several loops, and span lines."""
    found = []
    for source in of:
        for node in ast.walk(source.tree):
            if isinstance(node, COMPREHENSIONS) and node.end_lineno != node.lineno:
                inner = any(isinstance(one, COMPREHENSIONS) for one in ast.walk(node) if one is not node)
                if inner or len(node.generators) > 1:
                    found.append(f"{source.path}:{node.lineno}")
    return found


def without_test(of: list[Source]) -> list[str]:
    """Return the modules that have no test file of their name in the mirrored place."""
    tests = set(tracked("tests"))
    found = []
    for source in of:
        folder, name = source.path.rsplit("/", 1)
        if name != "__init__.py" and f"tests/{folder}/test_{name.lstrip('_')}" not in tests:
            found.append(source.path)
    return found


def is_private(name: str) -> bool:
    """Return whether a name is private; one between underscores is a protocol's, of Python or of notebooks."""
    return name.startswith("_") and not name.endswith("_")


def private_names(of: list[Source]) -> list[str]:
    """Return where tests reach into a private name of another object or module of the product."""
    found = []
    for source in of:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and is_private(node.attr):
                own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                if not own and ast.unparse(node) != "os._exit":  # which Python documents: it is public but for its name
                    found.append(f"{source.path}:{node.lineno} {ast.unparse(node)}")
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PRODUCT:
                for alias in node.names:
                    if is_private(alias.name):
                        found.append(f"{source.path}:{node.lineno} {alias.name}")
    return found


def main() -> None:
    """Print every measure."""
    product, tests = sources(*PRODUCT), sources("tests")
    lengths = [body_lines_of(node) for _, node in functions(product)]
    print(f"{len(product)} files, median {statistics.median(source.n_lines for source in product)} lines")
    print(f"{len(lengths)} functions, median {statistics.median(lengths)} lines of body")
    print(f"{comprehensions_in_100_lines(product):.2f} comprehensions in 100 lines")
    for title, places in {
        "long files": long_files([*product, *tests]),
        "long functions": long_functions([*product, *tests]),
        "wide functions": wide_functions(product),
        "large classes": large_classes(product),
        "crowded folders": crowded_folders(product),
        "nested comprehensions over lines": nested_comprehensions(product),
        "modules without a test": without_test(product),
        "private names in tests": private_names(tests),
    }.items():
        print(f"\n{title}: {len(places)}")
        for place in places:
            print(f"  {place}")


if __name__ == "__main__":
    main()
