"""Code digests, the commit without a subprocess, versions without imports."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

from orchestrator import provenance


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small `trainables`: a.py -> part.inner (relatively) -> deep; other.py is not imported."""
    files = {
        "trainables/__init__.py": "",
        "trainables/methods/__init__.py": "",
        "trainables/methods/a.py": """
            from trainables.part import inner
            def late():
                import trainables.deep
            """,
        "trainables/part/__init__.py": "",
        "trainables/part/inner.py": "from . import sibling\nfrom ..base import Thing\n",
        "trainables/part/sibling.py": "import numpy\n",
        "trainables/base.py": "class Thing: pass\n",
        "trainables/deep.py": "from trainables.part.inner import Thing\n",
        "trainables/other.py": "",
        "trainables/methods/scorer.py": "from trainables.scoring import score\n",
        "trainables/scoring.py": "",
        "trainables/metrics/__init__.py": "",
        "trainables/metrics/found.py": "import trainables.other\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    for loaded in [key for key in sys.modules if key.startswith("trainables.")]:
        monkeypatch.delitem(sys.modules, loaded)  # what earlier tests imported under the names of this tree
    package = ModuleType("trainables")
    package.__path__ = [str(tmp_path / "trainables")]
    monkeypatch.setitem(sys.modules, "trainables", package)
    return tmp_path / "trainables"


def digest_of(path: Path, name: str = "trainables.methods.a") -> str:
    module = ModuleType(name)
    module.__file__ = str(path)
    provenance.digest_of_loaded.cache_clear()
    return provenance.code_digest(module)


@pytest.mark.parametrize(
    "touched", ["methods/a.py", "part/inner.py", "part/sibling.py", "base.py", "deep.py", "part/__init__.py"]
)
def test_a_change_of_anything_imported_changes_the_digest(tree: Path, touched: str) -> None:
    before = digest_of(tree / "methods/a.py")
    (tree / touched).write_text((tree / touched).read_text() + "# a comment\n")
    assert digest_of(tree / "methods/a.py") != before


@pytest.mark.parametrize("touched", ["other.py", "methods/b.py"])
def test_a_change_of_what_is_not_imported_does_not(tree: Path, touched: str) -> None:
    before = digest_of(tree / "methods/a.py")
    (tree / touched).write_text("x = 1\n")
    assert digest_of(tree / "methods/a.py") == before


@pytest.mark.parametrize("touched", ["metrics/found.py", "metrics/new.py", "other.py"])
def test_what_is_found_by_its_folder_counts_for_who_imports_the_finder(tree: Path, touched: str) -> None:
    files = [tree / "methods/scorer.py", tree / "methods/a.py"]
    before = [digest_of(file, f"trainables.methods.{file.stem}") for file in files]
    (tree / touched).write_text("# another file\n")
    after = [digest_of(file, f"trainables.methods.{file.stem}") for file in files]
    assert after[0] != before[0] and after[1] == before[1]


def test_a_plugin_file_with_the_same_code_has_the_same_digest_wherever_it_lies(tree: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "own" / "mine.py"
    plugin.parent.mkdir()
    plugin.write_bytes((tree / "methods/a.py").read_bytes())
    assert digest_of(plugin, "_plugin_method_mine") == digest_of(tree / "methods/a.py")


def test_the_digest_of_the_running_code_is_kept_when_the_file_is_edited_later(tree: Path) -> None:
    before = digest_of(tree / "methods/a.py")
    module = ModuleType("trainables.methods.a")
    module.__file__ = str(tree / "methods/a.py")
    (tree / "methods/a.py").write_text("changed = True\n")
    assert provenance.code_digest(module) == before


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "files",
    [
        {"HEAD": COMMIT},
        {"HEAD": "ref: refs/heads/main", "refs/heads/main": COMMIT + "\n"},
        {
            "HEAD": "ref: refs/heads/a/b",
            "packed-refs": f"# pack-refs\n{'f' * 40} refs/heads/b\n{COMMIT} refs/heads/a/b\n",
        },
    ],
    ids=["detached", "loose", "packed"],
)
def test_the_commit_is_read_from_the_files_of_git(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / ".git" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / ".git" / name).write_text(text)
    assert provenance.commit_of(tmp_path / ".git") == COMMIT


def test_a_worktree_and_a_broken_or_absent_repository_are_understood(tmp_path: Path) -> None:
    main = tmp_path / "main" / ".git"
    (main / "worktrees" / "w").mkdir(parents=True)
    (main / "refs" / "heads").mkdir(parents=True)
    (main / "refs" / "heads" / "topic").write_text(COMMIT)
    (main / "worktrees" / "w" / "HEAD").write_text("ref: refs/heads/topic")
    (main / "worktrees" / "w" / "commondir").write_text("../..")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {main / 'worktrees' / 'w'}\n")
    assert provenance.commit_of(tmp_path / "w" / ".git") == COMMIT
    assert provenance.commit_of(tmp_path / "nowhere" / ".git") == ""
    (main / "HEAD").write_text("nonsense")
    assert provenance.commit_of(main) == ""


def test_versions_and_machine_name_what_moves_numbers_without_importing_it() -> None:
    code = (
        "import sys; from orchestrator.provenance import versions, machine; v = versions(); machine()\n"
        "assert v['torch'] and v['numpy'] and v['python'], v\n"
        "assert not {'torch', 'ray', 'optuna'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    found = provenance.machine()
    assert int(found["cores"]) >= 1
    assert int(found["memory_bytes"]) > 2**20
