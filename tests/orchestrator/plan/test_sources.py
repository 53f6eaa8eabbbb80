"""Every file that Python opens is seen; what may be read unseen makes the list incomplete."""

import os
import subprocess
import sys
import threading
from types import ModuleType

import numpy as np
import pytest

from orchestrator.plan.sources import are_unchanged, watched


@pytest.fixture
def data(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/1.png").write_bytes(b"red")
    np.save(tmp_path / "numbers.npy", np.arange(4))
    (tmp_path / "notes.txt").write_text("words")
    return tmp_path


def paths(stamps, folder):
    return sorted(os.path.relpath(stamp[0], folder) for stamp in stamps)


def test_files_and_listed_folders_are_seen_however_they_are_opened(data):
    with watched() as sources:
        (data / "notes.txt").read_text()
        np.load(data / "numbers.npy")
        os.listdir(data / "images")
        os.close(os.open(data / "images/1.png", os.O_RDONLY))
    assert paths(sources.stamps({}), data) == ["images", "images/1.png", "notes.txt", "numbers.npy"]


def test_what_is_opened_before_or_after_is_not_seen(data):
    (data / "notes.txt").read_text()
    with watched() as sources:
        pass
    (data / "notes.txt").read_text()
    assert sources.stamps({}) == []


def test_files_that_are_gone_again_do_not_count(data):
    with watched() as sources:
        (data / "for the moment").write_text("unpacked")
        (data / "for the moment").unlink()
    assert sources.stamps({}) == []


def test_another_threads_files_are_its_own_affair(data):
    begin, ended = threading.Event(), threading.Event()

    def other():
        begin.wait()
        (data / "notes.txt").read_text()
        ended.set()

    thread = threading.Thread(target=other)
    thread.start()
    with watched() as sources:
        begin.set()
        ended.wait()
    thread.join()
    assert sources.stamps({}) == []


@pytest.mark.parametrize(
    "unseen",
    [
        lambda: threading.Thread(target=lambda: None).start(),
        lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        lambda: os.system("true"),
    ],
)
def test_threads_and_processes_make_the_list_incomplete(unseen):
    with watched() as sources:
        unseen()
    assert sources.stamps({}) is None


def test_libraries_that_open_files_by_themselves_make_it_incomplete():
    with watched() as sources:
        pass
    assert sources.stamps({"h5py": ModuleType("h5py")}) is None


def test_modules_of_the_users_own_count_and_installed_ones_do_not(data):
    own, helper = ModuleType("own"), data / "own.py"
    helper.write_text("")
    own.__file__ = str(helper)
    with watched() as sources:
        pass
    stamps = sources.stamps({"own": own, "numpy": np, "os": os, "pytest": pytest})
    assert paths(stamps, data) == ["own.py"]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: (data / "images/1.png").write_bytes(b"blue!"),
        lambda data: os.utime(data / "images/1.png", ns=(1, 1)),
        lambda data: (data / "images/2.png").write_bytes(b"white"),
        lambda data: (data / "images/1.png").unlink(),
    ],
)
def test_any_change_is_noticed(data, change):
    with watched() as sources:
        for name in os.listdir(data / "images"):
            (data / "images" / name).read_bytes()
    stamps = sources.stamps({})
    assert are_unchanged(stamps)
    change(data)
    assert not are_unchanged(stamps)


class Growing(dict):
    """Modules of which one more is imported, as by another thread, whenever somebody goes through them."""

    def __iter__(self):
        for name in super().__iter__():
            self[f"{name}_and_more"] = ModuleType("more")
            yield name


def test_modules_that_another_thread_imports_meanwhile_do_not_disturb_a_look_at_them():
    with watched() as sources:
        pass
    assert sources.stamps(Growing(own=ModuleType("own"))) == []
