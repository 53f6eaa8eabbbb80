"""One driver a results folder, also where machines share it: who is silent is waited for, and never are there two."""

import fcntl
import os
import threading
import time
from types import SimpleNamespace

import pytest

from orchestrator.errors import LedgerLockedError
from orchestrator.ledger import Ledger, lock
from orchestrator.ledger.lock import FolderLock, announcement_of, holder_of


@pytest.fixture
def on(monkeypatch):
    """A function that moves this process to another machine."""

    def moved(host):
        monkeypatch.setattr(lock, "platform", SimpleNamespace(node=lambda: host))

    monkeypatch.setattr(lock, "SILENT_SECONDS", 0.4)
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lock, "LOOK_SECONDS", 0.02)
    return moved


@pytest.fixture
def kept_apart(monkeypatch):
    """A file system that keeps an flock to the machine that took it: one that lies elsewhere is not seen."""
    monkeypatch.setattr(lock.fcntl, "flock", lambda descriptor, kind: None)


def dies(held):
    """Have a driver end without giving its claim back."""
    held.forget()
    time.sleep(0.06)  # the beat that was under way


def test_a_driver_that_died_elsewhere_is_waited_for_and_then_replaced(tmp_path, on, caplog):
    on("moon")
    held = FolderLock(tmp_path)
    held.take()
    dies(held)
    on("mars")
    assert "on moon" in holder_of(tmp_path)  # it may live: some file systems show its lock to its own machine only
    began = time.monotonic()
    other = FolderLock(tmp_path)
    other.take()
    assert 0.2 < time.monotonic() - began < 5
    assert "was last used by process" in caplog.text
    assert "on mars" in (tmp_path / "lock").read_text().replace('"host": "', "on ")
    other.release()


def test_one_that_died_long_ago_or_gave_the_folder_back_is_not_waited_for(tmp_path, on, monkeypatch):
    on("moon")
    FolderLock(tmp_path).take()
    held = FolderLock(tmp_path / "given")
    (tmp_path / "given").mkdir()
    held.take()
    held.release()
    monkeypatch.setattr(lock.time, "sleep", lambda seconds: pytest.fail("it waits"))
    on("mars")
    FolderLock(tmp_path / "given").take()
    assert holder_of(tmp_path / "given")


def test_a_living_driver_elsewhere_is_never_joined_though_its_lock_is_not_seen(tmp_path, on, kept_apart):
    on("moon")
    held = FolderLock(tmp_path)
    held.take()
    on("mars")
    with pytest.raises(LedgerLockedError, match=r"in use by process \d+ on moon"):
        FolderLock(tmp_path).take()
    held.require()
    held.release()


def test_a_driver_that_was_silent_and_replaced_writes_no_more(tmp_path, on, kept_apart, monkeypatch):
    on("moon")
    monkeypatch.setattr(lock, "BEAT_SECONDS", 60.0)  # its network is away
    with Ledger(tmp_path, writable=True) as first:
        on("mars")
        with Ledger(tmp_path, writable=True) as second:
            with pytest.raises(LedgerLockedError, match=r"was taken over by process .* on mars"):
                first.append([])
            first.close()
            second.append([])
            second.compact()


def test_a_silent_machine_whose_lock_stays_is_replaced_on_demand_only(tmp_path, on, monkeypatch):
    on("moon")
    monkeypatch.setattr(lock, "BEAT_SECONDS", 3600.0)  # no signs of life, but a lock that stays, as a file server's
    held = FolderLock(tmp_path)
    held.take()
    on("mars")
    with pytest.raises(LedgerLockedError, match="in use by"):
        FolderLock(tmp_path, take_over=True).take()
    time.sleep(0.5)
    with pytest.raises(LedgerLockedError, match=r"silent for .*--take-over"):
        FolderLock(tmp_path).take()
    assert "silent for" in holder_of(tmp_path)
    other = FolderLock(tmp_path, take_over=True)
    other.take()
    other.require()
    with pytest.raises(LedgerLockedError, match="taken over"):
        held.require()
    held.release()  # it takes nothing back
    other.require()
    with pytest.raises(LedgerLockedError, match="on mars"):
        FolderLock(tmp_path, take_over=True).take()  # one that lives, and on this machine
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    other.release()


def test_the_holders_own_machine_needs_no_sign_of_life(tmp_path, on, monkeypatch):
    monkeypatch.setattr(lock.time, "sleep", lambda seconds: pytest.fail("it waits"))
    on("moon")
    first = FolderLock(tmp_path)
    first.take()
    first.forget()
    FolderLock(tmp_path).take()


def test_a_driver_says_where_its_cluster_can_be_looked_at(tmp_path, on):
    with Ledger(tmp_path, writable=True) as ledger:
        assert "dashboard" not in holder_of(tmp_path)
        ledger.announce(dashboard="http://head:8265")
        assert holder_of(tmp_path).endswith("Ray dashboard: http://head:8265")
        ledger.announce(study="s", workers=3)
        known = announcement_of(tmp_path)
        assert (known["dashboard"], known["study"], known["workers"]) == ("http://head:8265", "s", 3)
        ledger.append([])
    assert (tmp_path / "lock").read_bytes() == b"" and announcement_of(tmp_path) == {}


def test_what_a_driver_that_died_announced_is_not_told(tmp_path):
    assert announcement_of(tmp_path) == {}
    first = FolderLock(tmp_path)
    first.take()
    first.announce({"workers": 3})
    first.forget()
    assert announcement_of(tmp_path) == {}


def test_a_file_replaced_while_it_was_opened_is_opened_again(tmp_path, on, monkeypatch):
    on("moon")
    locked = fcntl.flock
    replaced = []

    def replacing(descriptor, kind):
        if not replaced:
            replaced.append(os.replace(tmp_path / "new", tmp_path / "lock"))
        locked(descriptor, kind)

    (tmp_path / "lock").touch()
    (tmp_path / "new").touch()
    monkeypatch.setattr(lock.fcntl, "flock", replacing)
    held = FolderLock(tmp_path)
    held.take()
    held.require()


def test_a_driver_that_is_told_to_wait_takes_the_folder_when_its_holder_lets_go(tmp_path, on, caplog):
    on("moon")
    held = FolderLock(tmp_path)
    held.take()
    threading.Timer(0.3, held.release).start()
    other = FolderLock(tmp_path, patience=30.0)
    other.take()
    assert "is in use by process" in caplog.text
    assert len(caplog.records) == 1, "it says so once"
    other.require()
    other.release()


def test_a_driver_waits_no_longer_than_it_is_told(tmp_path, on):
    on("moon")
    held = FolderLock(tmp_path)
    held.take()
    began = time.monotonic()
    with pytest.raises(LedgerLockedError, match="--wait SECONDS"):
        FolderLock(tmp_path, patience=0.3).take()
    assert 0.3 <= time.monotonic() - began < 5
    held.release()
