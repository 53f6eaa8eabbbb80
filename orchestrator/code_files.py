"""Which files a module's code is made of: found by reading what it imports; nothing is imported for that.

Of the project it is what is imported under `trainables`; of anybody else's code every file that no installed package
brings: modules beside a plugin's file, packages on the path of a checkout. Installed packages count by their version,
and what cannot be followed (compiled modules, names that are made while the program runs) is named.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from orchestrator.machine.private_cache import PrivateCache

__all__ = ["Code", "code_of", "is_installed", "package_versions"]

ROOT = "trainables"
"""What a method imports under this package is part of its code."""

PROJECT = {"orchestrator", "studies", "analysis", ROOT}

FOUND_BY_FOLDER = {"trainables.scoring": "trainables.metrics"}
"""Module -> the package whose modules it finds by their folder: who imports the one depends on all of the other."""

COMPILED = (".so", ".pyd")

UNFOLLOWED = "?"
"""Before the line of an import whose name is made while the program runs."""


class Code(NamedTuple):
    """What a module runs."""

    files: dict[str, Path]
    """By the names of their modules; "": the module's own file."""
    packages: frozenset[str]
    """Installed packages that it imports, by their top names."""
    unseen: tuple[str, ...]
    """What of the user's own code cannot be followed, one phrase each."""


def code_of(own: Path, name: str) -> Code:
    """Return what a file runs as a module.

    Args:
        own: the file.
        name: of the module that it is, or would be.

    Raises:
        OSError: a file cannot be read.
        SyntaxError: one is no Python.
    """
    search = _Search(own)
    waiting = [("", own, name)]  # the method's own file counts under no name: a plugin's copy of it is the same code
    while waiting:
        key, file, module = waiting.pop()
        if key in search.files:
            continue
        search.files[key] = file
        if file.suffix in COMPILED:
            search.unseen.append(f"{module} is compiled: of what it links only its own file is seen")
            continue
        for imported in search.imported(key, file, module):
            found = search.file(imported)
            if found is not None and found != own:
                waiting.append((imported, found, imported))
    _remember_imports()
    return Code(search.files, frozenset(search.packages), tuple(dict.fromkeys(search.unseen)))


class _Search:
    """The files that were found, and where names were looked up."""

    def __init__(self, own: Path) -> None:
        self.own, self.root = own, _root()
        self.files: dict[str, Path] = {}
        self.packages: set[str] = set()
        self.unseen: list[str] = []
        self._tops: dict[str, tuple[Path | None, tuple[str, ...]]] = {}

    def imported(self, key: str, file: Path, module: str) -> Iterator[str]:
        """Yield the names that a file may import, and those that it finds by a folder."""
        own = key.partition(".")[0] not in PROJECT and not module.startswith(f"{ROOT}.")
        for name in _imported(file.read_text(encoding="utf-8"), module, file.name == "__init__.py"):
            if not name.startswith(UNFOLLOWED):
                yield name
            elif own:
                self.unseen.append(f"{file.name}, line {name[1:]}, imports by a name that is made when it runs")
        package = FOUND_BY_FOLDER.get(key)
        if package is not None:
            folder = self.root.joinpath(*package.split(".")[1:])
            yield from (package, *(f"{package}.{path.stem}" for path in sorted(folder.glob("[!_]*.py"))))

    def file(self, name: str) -> Path | None:
        """Return the file of a module that counts; None: it is installed, or no module but a class or function."""
        top, *rest = name.split(".")
        if top == ROOT:
            return _python(self.root.joinpath(*rest)) if rest else _python(self.root / "__init__")
        if top in PROJECT or top in sys.stdlib_module_names:
            return None
        file, folders = self._top(top)
        if not rest:
            return file
        for folder in folders:
            stem = Path(folder).joinpath(*rest)
            found = _python(stem) or _compiled(stem)
            if found is not None:
                return found
        return None

    def _top(self, top: str) -> tuple[Path | None, tuple[str, ...]]:
        """Return the file of a package or module that is the user's own, and the folders of what is in it."""
        if top not in self._tops:
            self._tops[top] = self._looked_up(top)
        return self._tops[top]

    def _looked_up(self, top: str) -> tuple[Path | None, tuple[str, ...]]:
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError, AttributeError):
            spec = None
        if spec is None:
            return None, ()
        folders = tuple(spec.submodule_search_locations or ())
        file = Path(spec.origin) if spec.origin and spec.has_location else None
        place = file or (Path(folders[0]) if folders else None)
        if place is None or is_installed(place):
            self.packages.add(top)
            return None, ()
        return file, folders


def is_installed(path: Path) -> bool:
    """Return whether Python or an installed package brings a file."""
    real = path.resolve()
    return bool({"site-packages", "dist-packages"} & set(real.parts)) or any(map(real.is_relative_to, _libraries()))


def _compiled(stem: Path) -> Path | None:
    for path in sorted(stem.parent.glob(f"{stem.name}.*")):
        if path.suffix in COMPILED:
            return path
    return None


@cache
def _libraries() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple({Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def package_versions(tops: Iterable[str]) -> dict[str, str]:
    """Return the versions of the distributions that bring some packages, as far as any does."""
    from importlib import metadata

    found: dict[str, str] = {}
    bringers = None
    for top in sorted(tops):
        try:
            found[top] = metadata.version(top)
        except metadata.PackageNotFoundError:
            bringers = bringers or metadata.packages_distributions()  # looks at all that is installed
            for name in bringers.get(top, ()):
                found[name] = metadata.version(name)
    return found


def _root() -> Path:
    """Return the folder of `trainables`: the one that is loaded, or the one beside this package."""
    loaded = sys.modules.get(ROOT)
    places = list(getattr(loaded, "__path__", ()))
    return Path(places[0]) if places else Path(__file__).resolve().parents[1] / ROOT


def _python(stem: Path) -> Path | None:
    """Return the file of the module or package at a place; None: there is none."""
    plain, package = stem.with_name(f"{stem.name}.py"), stem / "__init__.py"
    if plain.is_file():
        return plain
    return package if package.is_file() else None


def _imported(source: str, module: str, is_package: bool) -> list[str]:
    """Return what `_imports` yields: remembered by the source, since to parse it takes ten times as long as to read."""
    key = hashlib.blake2b(f"{module} {is_package} {source}".encode(), digest_size=16).hexdigest()
    known = _known_imports()
    if key not in known:
        known[key] = list(dict.fromkeys(_imports(source, module, is_package)))
        _new_imports.add(key)
    return known[key]


_IMPORTS = PrivateCache("imports")
_IMPORTS_KEY = f"2 {sys.version}"
_new_imports: set[str] = set()
MOST_REMEMBERED = 4_000


@cache
def _known_imports() -> dict[str, list[str]]:
    kept = _IMPORTS.read(_IMPORTS_KEY)
    return kept if isinstance(kept, dict) else {}


def _remember_imports() -> None:
    """Keep what was parsed; the oldest goes when it is much."""
    if _new_imports:
        known = _known_imports()
        _IMPORTS.write(_IMPORTS_KEY, dict(list(known.items())[-MOST_REMEMBERED:]))
        _new_imports.clear()


def _imports(source: str, module: str, is_package: bool) -> Iterator[str]:
    """Yield every dotted name that the source may import, with the packages above it; marks where it does not say."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, module, is_package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and _imports_by_name(node):
            names = _named(node)
            if not names:
                yield f"{UNFOLLOWED}{node.lineno}"
        else:
            continue
        for name in names:
            yield from accumulate(name.split("."), "{}.{}".format)


def _imports_by_name(call: ast.Call) -> bool:
    """Return whether a call is one of `importlib.import_module` or `__import__`."""
    function = call.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    return name in ("import_module", "__import__")


def _named(call: ast.Call) -> list[str]:
    """Return the absolute name that stands in such a call; empty: it is made when the program runs."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.startswith("."):
        return [first.value]
    return []


def _base(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """Return the absolute name of what `from <base> import ...` names."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, node.module] if node.module else parts)
