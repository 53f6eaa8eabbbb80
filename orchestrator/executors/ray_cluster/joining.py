"""Joining a cluster that somebody else started: whether one may, in seconds and one line, and what travels to it."""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator.errors import RequestError

__all__ = ["LOCAL", "check_address", "check_cluster", "place_of", "shipped"]

LOCAL = "local"
CONNECT_SECONDS = 3.0
ASK_SECONDS = 8.0
"""How long a cluster may take to say who it is; importing Ray is part of it."""


def check_address(address: str) -> None:
    """Check an address, and that somebody listens there, before Ray tries for minutes.

    Raises:
        RequestError: it is neither `local`, `auto` nor HOST:PORT, or nobody answers.
    """
    if address == LOCAL:
        return
    place = place_of(address)
    host, _, port = place.rpartition(":")
    if address == "auto" and not place:
        raise RequestError("--address auto: no Ray cluster runs on this machine, and RAY_ADDRESS is not set")
    if not host.strip("/") or "/" in host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise RequestError(f"--address {place!r}: allowed are local, auto and HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise RequestError(f"no Ray cluster answers at {place!r}: {error}") from None


def place_of(address: str) -> str:
    """Return HOST:PORT of an address; of `auto` RAY_ADDRESS, or what the last `ray start` left; empty: nothing did.

    Raises:
        RequestError: what was left is another user's, who could have our code and token sent to a place of theirs.
    """
    if address != "auto":
        return address
    if os.environ.get("RAY_ADDRESS", ""):
        return os.environ["RAY_ADDRESS"]
    left = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")
    if not left.is_file():
        return ""
    if left.stat().st_uid not in (0, os.geteuid()):
        raise RequestError(f"--address auto: {str(left)!r} is another user's; give HOST:PORT, or set RAY_ADDRESS")
    return left.read_text().strip()


_PROBE = """
import json, sys
from ray import _raylet
from ray._private.authentication import authentication_token_setup as tokens
from ray.exceptions import AuthenticationError

own = tokens.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
try:
    if own and not _raylet.AuthenticationTokenLoader.instance().has_token():
        raise AuthenticationError("none")
except AuthenticationError:
    print(json.dumps({"problem": "absent"}))
    sys.exit()
try:
    told = _raylet.GcsClient(address=sys.argv[1]).internal_kv_get(b"CLUSTER_METADATA", b"cluster", timeout=5)
    print(json.dumps({"releases": json.loads(told or b"{}")}))
except AuthenticationError:
    print(json.dumps({"problem": "wrong" if own else "wanted"}))
"""
"""Asked in a process of its own: Ray's client ends its process where there is no token, and prints of a wrong one."""

_HOW_TO_TOKEN = (
    "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN (or RAY_AUTH_TOKEN_PATH) to the cluster's, as its nodes have them"
)


def check_cluster(place: str) -> None:
    """Check that a cluster lets this process in and runs the same releases, before Ray tries for half a minute.

    Raises:
        RequestError: it does not; the line says what to do.
    """
    command = [sys.executable, "-P", "-c", _PROBE, place]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
        said = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return  # this machine or the head is busy: whoever joins waits longer than this
    except (IndexError, ValueError):
        text = " ".join(done.stderr.split())[-200:]
        raise RequestError(f"what answers at {place!r} is no Ray cluster that this Ray knows: {text}") from None
    problems = {
        "absent": f"RAY_AUTH_MODE=token, and there is no token; {_HOW_TO_TOKEN}",
        "wrong": f"the Ray cluster at {place!r} does not take this token; {_HOW_TO_TOKEN}",
        "wanted": f"the Ray cluster at {place!r} wants a token; {_HOW_TO_TOKEN}",
    }
    if "problem" in said:
        raise RequestError(problems[said["problem"]])
    differ = other_releases(said["releases"], {"ray": version("ray"), "python": platform.python_version()})
    if differ:
        raise RequestError(f"the Ray cluster at {place!r} runs {differ}")


def other_releases(theirs: Mapping[str, Any], own: Mapping[str, str]) -> str:
    """Return what a cluster says of its releases that differs from ours, and what to do; empty: nothing does.

    Args:
        theirs: what a cluster keeps about itself.
        own: name -> release, of `ray` and `python`.
    """
    level = 2 if os.environ.get("RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL") == "minor" else 3
    parts = {"ray": 3, "python": level}
    for name, title in (("ray", "Ray"), ("python", "Python")):
        other = str(theirs.get(f"{name}_version", own[name]))
        if other.split(".")[: parts[name]] != own[name].split(".")[: parts[name]]:
            return f"{title} {other}, this process {title} {own[name]}; the same release is needed everywhere"
    return ""


def shipped(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the runtime environment of workers elsewhere: the project's own packages, as they are here.

    Args:
        environment: variables for them.
    """
    packages = Path(orchestrator.__file__).parent.parent
    return {
        "env_vars": dict(environment),
        "py_modules": [str(packages / name) for name in ("orchestrator", "trainables")],
        "worker_process_setup_hook": _shipped_path_hook(),
    }


def _shipped_path_hook() -> Callable[[], None]:
    """Return what a worker elsewhere does first: look into the shipped packages before anything else.

    Nested, so that it is pickled by value: importing it by name would already look in the wrong place.
    """

    def hook() -> None:
        import os
        import sys

        shipped = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
        sys.path[:] = shipped + [part for part in sys.path if part not in shipped]
        from orchestrator.executors.ray_tune import trainable

        trainable.search_path[:] = sys.path

    return hook
