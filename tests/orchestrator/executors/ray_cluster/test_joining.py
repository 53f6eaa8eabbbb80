"""Addresses, tokens and releases of a cluster that somebody else started; its processes are not started here."""

import os
import socket

import pytest

from orchestrator.errors import RequestError
from orchestrator.executors.ray_cluster import joining


def test_an_address_somebody_listens_at_passes():
    with socket.create_server(("127.0.0.1", 0)) as server:
        joining.check_address(f"127.0.0.1:{server.getsockname()[1]}")


def test_a_ray_of_our_own_needs_no_listener():
    joining.check_address("local")


def test_auto_is_the_address_of_the_environment_or_of_the_last_ray_start(monkeypatch, tmp_path):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(RequestError, match="--address auto: no Ray cluster runs on this machine"):
        joining.check_address("auto")
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1\n")
    with pytest.raises(RequestError, match=r"answers at '127\.0\.0\.1:1'"):
        joining.check_address("auto")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(RequestError, match=r"answers at '127\.0\.0\.1:9'"):
        joining.check_address("auto")


@pytest.mark.parametrize("address", ["host:²", "host:١", "host:0", "host:99999", "host:", ":1", "a/b:1", "host:1e3"])
def test_what_is_no_address_is_refused_in_one_line(address):
    with pytest.raises(RequestError, match="allowed are local, auto and HOST:PORT"):
        joining.check_address(address)


def test_a_dead_cluster_is_a_request_error_with_the_address_in_it():
    with pytest.raises(RequestError, match=r"no Ray cluster answers at '127\.0\.0\.1:1'"):
        joining.check_address("127.0.0.1:1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file another user's")
def test_auto_does_not_follow_what_another_user_left(monkeypatch, tmp_path):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("10.0.0.1:6379")
    os.chown(tmp_path / "ray" / "ray_current_cluster", 12345, 12345)
    with pytest.raises(RequestError, match="is another user's; give HOST:PORT"):
        joining.check_address("auto")


OWN = {"ray": "2.60.0", "python": "3.11.7"}


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        ({}, ""),
        ({"ray_version": "2.60.0", "python_version": "3.11.7"}, ""),
        ({"ray_version": "2.59.1", "python_version": "3.11.7"}, "Ray 2.59.1, this process Ray 2.60.0"),
        ({"ray_version": "2.60.0", "python_version": "3.12.4"}, "Python 3.12.4, this process Python 3.11.7"),
        ({"ray_version": "2.60.0", "python_version": "3.11.9"}, "Python 3.11.9, this process Python 3.11.7"),
    ],
)
def test_other_releases_are_named_with_what_is_needed(theirs, says, monkeypatch):
    monkeypatch.delenv("RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL", raising=False)
    line = joining.other_releases(theirs, OWN)
    assert line == (f"{says}; the same release is needed everywhere" if says else "")


def test_patch_releases_of_python_may_differ_where_ray_was_told_so(monkeypatch):
    monkeypatch.setenv("RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL", "minor")
    assert joining.other_releases({"ray_version": "2.60.0", "python_version": "3.11.9"}, OWN) == ""
    assert joining.other_releases({"ray_version": "2.60.0", "python_version": "3.12.1"}, OWN)
