"""Files of an honest results folder, damaged at random: cut, flipped, filled, swapped, renamed, gone."""

from __future__ import annotations

import shutil
from pathlib import Path

from honest import is_part_of_the_honest_folder, uses
from hypothesis import strategies as st

KINDS = ("cut", "flip", "append", "fill", "delete", "copy over", "rename", "empty", "folder")

CASES = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(KINDS), st.floats(0, 1, exclude_max=True), st.binary(max_size=8)),
    min_size=1,
    max_size=4,
)
"""(which file, what is done to it, where, with what)."""


def forge(case: list[tuple[int, str, float, bytes]], results: Path) -> None:
    """Damage the files."""
    for number, kind, where, content in case:
        paths = sorted(path for path in results.rglob("*") if path.is_file())
        if paths:
            damage(paths[number % len(paths)], paths[int(where * len(paths))], kind, where, content)


def check(case: list[tuple[int, str, float, bytes]], results: Path) -> None:
    """Damage the files; whatever reads has rows of the honest folder only, or one line."""
    forge(case, results)
    uses(results)
    is_part_of_the_honest_folder(results)


def damage(path: Path, other: Path, kind: str, where: float, content: bytes) -> None:
    old = bytearray(path.read_bytes())
    place = int(where * len(old))
    if kind == "cut":
        path.write_bytes(old[:place])
    elif kind == "flip" and old:
        old[place] ^= 1 << len(content) % 8
        path.write_bytes(old)
    elif kind == "append":
        path.write_bytes(bytes(old) + content)
    elif kind == "fill":
        path.write_bytes(content * (len(old) // max(len(content), 1)))
    elif kind == "copy over":
        path.write_bytes(other.read_bytes())
    elif kind == "rename":
        path.rename(path.with_name(f"{other.stem}.{content.hex()}"))
    elif kind == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        if kind == "folder":
            path.mkdir()
            shutil.copy(other, path) if other.is_file() else None
