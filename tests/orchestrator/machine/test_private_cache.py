"""What is kept can be trusted or is not there: whatever the file, its folder or its owner."""

import json
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.machine import private_cache
from orchestrator.machine.private_cache import PrivateCache, cache_folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def cache():
    kept = PrivateCache("things")
    kept.write("one", {"n": [1, 2.5, None, "x"]})
    return kept


def only_file(cache):
    (path,) = cache.folder.iterdir()
    return path


def test_what_was_written_is_read_and_nothing_else(cache):
    assert cache.read("one") == {"n": [1, 2.5, None, "x"]}
    assert cache.read("two") is None
    assert PrivateCache("others").read("one") is None


def test_folders_and_files_are_this_users_alone(cache, home):
    for folder in (home / "orchestrate", cache.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(cache).stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
@pytest.mark.parametrize("which", ["program", "kind", "file"])
def test_what_others_may_write_is_not_read(cache, home, which, mode):
    {"program": home / "orchestrate", "kind": cache.folder, "file": only_file(cache)}[which].chmod(mode)
    assert cache.read("one") is None


def test_a_folder_that_others_may_write_is_not_written_to(cache):
    cache.folder.chmod(0o777)
    cache.write("two", 2)
    assert len(list(cache.folder.iterdir())) == 1


def test_links_are_not_followed(cache, tmp_path):
    path = only_file(cache)
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert cache.read("one") is None
    cache.write("one", 3)  # takes the link's place
    assert cache.read("one") == 3
    assert not path.is_symlink()


def test_a_file_under_another_keys_name_is_not_taken_for_it(cache):
    cache.write("two", 2)
    first, second = sorted(cache.folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    second.write_bytes(first.read_bytes())
    assert cache.read("two") is None


def test_a_pipe_or_a_folder_in_its_place_reads_as_absent(cache):
    path = only_file(cache)
    path.unlink()
    os.mkfifo(path)
    assert cache.read("one") is None
    path.unlink()
    path.mkdir()
    assert cache.read("one") is None


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 200), noise=st.binary(max_size=30))
def test_damaged_content_reads_as_absent_or_as_it_was(cut, noise, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        cache = PrivateCache("things")
        cache.write("one", {"n": 1})
        path = only_file(cache)
        content = path.read_bytes()
        path.write_bytes(content[:cut] + noise + content[cut + len(noise) :])
        assert cache.read("one") in (None, {"n": 1})


@pytest.mark.parametrize("content", [[], "text", None, 7, {"content": 1}, {"digest": 1, "content": 1}])
def test_other_json_reads_as_absent(cache, content):
    only_file(cache).write_text(json.dumps(content))
    assert cache.read("one") is None


def test_a_place_that_cannot_be_written_to_costs_the_keeping_only(home, monkeypatch):
    home.parent.joinpath("file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home.parent / "file"))
    cache = PrivateCache("things")
    cache.write("one", 1)
    assert cache.read("one") is None


def test_a_relative_place_is_ignored_as_the_convention_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "orchestrate"


def test_the_oldest_half_goes_when_there_are_too_many(cache, monkeypatch):
    monkeypatch.setattr(private_cache, "MOST_FILES", 6)
    for number in range(6):
        cache.write(f"more {number}", number)
    assert cache.read("one") is None
    assert cache.read("more 5") == 5
    assert 3 <= len(list(cache.folder.iterdir())) <= 6
