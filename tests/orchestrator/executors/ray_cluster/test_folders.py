"""Private folders: who may enter them, where they may lie, and which of them are swept."""

import fcntl
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import RequestError
from orchestrator.executors.ray_cluster import folders


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A function that names the folder for temporary files that the environment asks for."""

    def named(path):
        Path(path).mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(folders.tempfile, "gettempdir", lambda: str(path))

    return named


@pytest.fixture
def home(temporary):
    """A short folder of our own for temporary files."""
    with folders.tempfile.TemporaryDirectory(dir="/tmp") as path:
        temporary(path)
        yield Path(path)


def test_a_private_folder_is_entered_by_nobody_else_and_goes_when_told(home):
    folder = folders.PrivateFolder()
    assert Path(folder.path).parent == home
    assert stat.S_IMODE(os.stat(folder.path).st_mode) == 0o700
    folder.remove()
    folder.remove()
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("length", [5, 17, 24, 30, 35])
def test_the_sockets_of_a_folder_whose_name_is_short_enough_can_be_bound(temporary, length):
    place = "/tmp/" + "x" * (length - 5)
    temporary(place)
    assert folders.temporary_folder() == place
    folder = f"{place}/{folders.LONGEST_NAME}" if length > 5 else f"/tmp/{folders.LONGEST_NAME}"
    sockets = folders.ray_folder(folder) / folders.SESSION / "sockets"
    sockets.mkdir(parents=True)
    try:
        for name in ("plasma_store", "raylet"):
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(str(sockets / name))
    finally:
        folders.shutil.rmtree(folder if length == 5 else place)


def test_a_folder_whose_name_leaves_no_room_for_sockets_is_passed_over(temporary, tmp_path):
    temporary(tmp_path / ("x" * 90))
    assert folders.temporary_folder() == "/tmp"


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_folder_in_which_others_may_replace_files_is_passed_over(home, mode, temporary):
    (home / "open").mkdir()
    (home / "open").chmod(mode)
    temporary(home / "open")
    assert folders.temporary_folder() == "/tmp"
    temporary(home / "open" / "own")
    assert folders.temporary_folder() == "/tmp"


def test_a_sticky_folder_is_as_good_as_tmp(home, temporary):
    (home / "sticky").mkdir()
    (home / "sticky").chmod(0o1777)
    temporary(home / "sticky")
    assert folders.temporary_folder() == str(home / "sticky")


def test_where_nothing_will_do_one_line_says_why(temporary, tmp_path, monkeypatch):
    temporary(tmp_path / ("x" * 90))
    monkeypatch.setattr(folders, "_open_to_others", lambda folder: iter([folder]))
    with pytest.raises(
        RequestError, match=r"no folder for temporary files: .*xxx' has more than \d+ bytes.*'/tmp' is not"
    ):
        folders.temporary_folder()


def _left(home, name, driver_lives=False):
    (home / name).mkdir(mode=0o700)
    mark = os.open(home / name / folders.ALIVE, os.O_CREAT | os.O_RDWR)
    if driver_lives:
        fcntl.flock(mark, fcntl.LOCK_EX)
        return mark
    os.close(mark)
    return None


def test_folders_of_dead_drivers_are_swept_and_those_of_living_ones_are_not(home):
    _left(home, "orchestrate-ray-77-dead")
    mark = _left(home, "orchestrate-ray-77-alive", driver_lives=True)
    (home / "orchestrate-ray-77-unmarked").mkdir()
    folders.sweep_leftovers()
    os.close(mark)
    assert {path.name for path in home.iterdir()} == {"orchestrate-ray-77-alive", "orchestrate-ray-77-unmarked"}


def test_a_driver_that_was_killed_leaves_a_folder_that_is_swept(home):
    made = "from orchestrator.executors.ray_cluster.folders import *; f = PrivateFolder()"
    code = f"{made}; import os; os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(home)}, check=False)
    (left,) = home.iterdir()
    assert left.name.startswith(folders.PREFIX)
    folders.sweep_leftovers()
    assert list(home.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder another user's")
def test_what_belongs_to_another_user_stays(home):
    _left(home, "orchestrate-ray-77-others")
    os.chown(home / "orchestrate-ray-77-others", 12345, 12345)
    folders.sweep_leftovers()
    assert [path.name for path in home.iterdir()] == ["orchestrate-ray-77-others"]


def test_odd_names_links_and_files_are_left_alone(home, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / folders.ALIVE).touch()
    for name in ("orchestrate-ray-²-x", f"orchestrate-ray-{'9' * 40}-x", "orchestrate-ray--", "orchestrate-ray-1-a b"):
        _left(home, name)
    os.symlink(tmp_path / "precious", home / "orchestrate-ray-1-link")
    (home / "orchestrate-ray-1-file").touch()
    (home / "orchestrate-ray-1-mark").mkdir()
    os.symlink(tmp_path / "precious" / folders.ALIVE, home / "orchestrate-ray-1-mark" / folders.ALIVE)
    before = sorted(path.name for path in home.iterdir())
    folders.sweep_leftovers()
    assert sorted(path.name for path in home.iterdir()) == before
    assert (tmp_path / "precious" / folders.ALIVE).exists()
