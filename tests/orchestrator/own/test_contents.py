"""Digests are of content: not of names above, times or places."""

from __future__ import annotations

import os

from orchestrator.own.contents import LARGE, content_digest


def test_equal_content_has_one_digest_and_other_content_another(tmp_path):
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    one, two, three = (content_digest(tmp_path / name) for name in "abc")
    assert one == two != three


def test_a_folder_counts_with_the_names_of_its_files(tmp_path):
    for folder, name in (("x", "a"), ("y", "a"), ("z", "b")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(b"1")
    one, two, three = (content_digest(tmp_path / name) for name in "xyz")
    assert one == two != three


def test_a_large_file_that_changes_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "large"
    path.write_bytes(b"1" * (LARGE + 1))
    os.utime(path, (1, 1))
    before = content_digest(path)
    path.write_bytes(b"2" * (LARGE + 1))
    assert content_digest(path) != before
