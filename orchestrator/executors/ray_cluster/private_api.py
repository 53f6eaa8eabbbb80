"""A Ray of our own, on one machine, without what only a cluster or a dashboard needs: seconds of every start.

Ray has no public setting for any of this; `tests/orchestrator/executors/ray_cluster/test_private_api.py` says when a
new Ray differs.
"""

from __future__ import annotations

import functools
import gc
import os
import random
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

__all__ = [
    "inherited",
    "inherited_actors",
    "lean_node",
    "let_agents_go",
    "with_draws_apart",
    "with_garbage_kept",
    "without_census",
    "without_grace",
    "write_hook",
]

AGENT_PORTS = (
    "DASHBOARD_AGENT_LISTEN_PORT_NAME",
    "METRICS_AGENT_PORT_NAME",
    "METRICS_EXPORT_PORT_NAME",
    "RUNTIME_ENV_AGENT_PORT_NAME",
)
"""Names, in `ray._raylet`, of the names of files in which agents say where they listen."""

NOBODYS_PORT = 1
"""A port at which no program of a user can listen."""

IDLE = """
trap '' INT HUP TERM
while kill -0 "$PPID" 2>/dev/null; do sleep 0.5; done
"""
"""What runs in an agent's place, for as long as its raylet: one whose agent ends, ends too."""

HOOK_VARIABLE = "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR"
"""Where a worker of Ray finds the name of what it calls first."""

HOOK = """
def run():
    import sys

    sys.path[:] = {path!r}
    from orchestrator import discovery
    from orchestrator.executors.ray_tune import trainable

    trainable.search_path[:] = sys.path
    discovery.training()
"""
"""Ray puts the driver's current directory first on a worker's search path, before the driver's packages."""


@contextmanager
def lean_node(
    session: str, *, with_logs: bool, agents: bool = True, starter: Callable[[str], Path] | None = None
) -> Iterator[None]:
    """Have a node that starts meanwhile do without autoscaler and API server, and without logs without log monitor.

    It keeps the loopback address that it is given: Ray would put the machine's own in its place, which a laptop changes
    in the middle of a run, and at which all its processes would listen to the network.

    Args:
        session: name of the session's folder.
        with_logs: whether messages of workers shall reach the driver.
        agents: whether metrics are collected and runtime environments made, each by a Python process that imports Ray.
        starter: (Ray's own program that starts a worker) -> another one; None: its own.
    """
    from ray._private import node, parameter, ray_constants, services, workers

    more: dict[str, Any] = {"include_log_monitor": "yes" if with_logs else ""}
    if starter is not None:
        own = Path(workers.__path__[0], ray_constants.SETUP_WORKER_FILENAME)
        more["setup_worker_path"] = str(starter(str(own)))
    start = services.start_ray_process
    less = functools.partial(parameter.RayParams, session_name=session, no_monitor=True, **more)
    with (
        _replaced(parameter, RayParams=less),
        _replaced(services, resolve_ip_for_localhost=lambda host: host),
        _replaced(node.Node, start_api_server=_no_server),
        _replaced(services, start_ray_process=start if agents else functools.partial(_without_agents, start)),
    ):
        yield


def _without_agents(start: Any, command: list[str], process_type: str, **options: Any) -> Any:
    """Start a process of Ray; a raylet with idle processes for its agents, and with ports at which nobody is."""
    import ray
    from ray._private import ray_constants

    if process_type == ray_constants.PROCESS_TYPE_RAYLET:
        command, raylet = [*command], cast(Any, ray._raylet)
        for place, part in enumerate(command):
            name, _, agent = part.partition("=")
            if name in ("--dashboard_agent_command", "--runtime_env_agent_command"):
                session, node = (re.search(rf"--{key}=(\S+)", agent) for key in ("session-dir", "node-id"))
                assert session is not None and node is not None
                for port in AGENT_PORTS:  # the raylet waits until its agents have written them down
                    raylet.persist_port(session[1], node[1], getattr(raylet, port), NOBODYS_PORT)
                idle = Path(session[1], "idle.sh")
                idle.write_text(IDLE)
                command[place] = f"{name}=sh {idle}"
    return start(command, process_type, **options)


def _no_server(node: Any, **options: Any) -> None:
    node._webui_url = ""


def let_agents_go(session: Path) -> None:
    """Have Ray's agents end with their raylet, also when it ends because the process that started it was killed.

    An agent whose raylet is gone looks for this sentence in its log. Without, it tries for 60 s (a constant of Ray's)
    to send the log's end to a control store that is gone too, and stays behind for so long.

    Args:
        session: the folder of Ray's session, with a raylet that runs.
    """
    log = session / "logs" / "raylet.out"
    if log.is_file():
        with log.open("a") as file:
            file.write("Raylet received SIGTERM (written by orchestrate, so that agents end at once)\n")


@contextmanager
def without_grace() -> Iterator[None]:
    """Have `ray.shutdown` kill its processes meanwhile, not ask and wait: what they would tidy up goes anyway."""
    from ray._private import node

    kill = node.Node.kill_all_processes

    def at_once(node: Any, **options: Any) -> None:
        kill(node, check_alive=False)

    with _replaced(node.Node, kill_all_processes=at_once):
        yield


@contextmanager
def with_garbage_kept() -> Iterator[None]:
    """Have no thread collect what is garbage by now, for `ray.shutdown` in a process that goes on.

    Between the end of Ray's core in a process and the moment at which Python forgets it, a reference to an object or an
    actor that is let go by another thread ends the whole process with status 1, in the middle of what it writes
    (Ray 2.60.0). Tune leaves such references in cycles, and whatever is done meanwhile may collect them.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def inherited_actors() -> Iterator[None]:
    """Have Tune give its actors no environment of their own meanwhile: they have their raylet's, see `inherited`."""
    from ray.tune.execution import class_cache

    with _replaced(class_cache, DEFAULT_ENV_VARS={}, ENV_VARS_TO_PROPAGATE=set()):
        yield


@contextmanager
def without_census() -> Iterator[None]:
    """Have Tune count no callbacks meanwhile, for statistics that are off: it imports MLflow and W&B to know them."""
    from ray.air._internal import usage

    with _replaced(usage, tag_callbacks=lambda callbacks: False):
        yield


@contextmanager
def with_draws_apart() -> Iterator[None]:
    """Have Tune's loop shuffle by a random stream of its own meanwhile.

    By Python's global one, which is the whole process's, it would shift what another thread draws: a method that trains
    in the driver, or the cell of a notebook that seeded it.
    """
    from ray.air.execution._internal import actor_manager

    with _replaced(actor_manager, random=random.Random()):
        yield


@contextmanager
def _replaced(owner: Any, **others: Any) -> Iterator[None]:
    known = {name: getattr(owner, name) for name in others}
    for name, value in others.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in known.items():
            setattr(owner, name, value)


@contextmanager
def inherited(environment: Mapping[str, str]) -> Iterator[None]:
    """Set variables for processes that start meanwhile: Ray's workers inherit the environment of its raylet.

    As a `runtime_env` they would cost each worker an agent's answer and a Python process in between.
    """
    known = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in known.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def write_hook(folder: Path, path: Sequence[str]) -> dict[str, str]:
    """Write what a worker does first: take the driver's search path, then import what every task needs.

    A file with a name that nothing else has, since Ray imports it by name, with whatever is on the path until then.

    Returns:
        The environment with which a worker finds it.
    """
    name = f"orchestrate_worker_{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    (folder / f"{name}.py").write_text(HOOK.format(path=list(path)))
    known = os.environ.get("PYTHONPATH", "")
    return {HOOK_VARIABLE: f"{name}.run", "PYTHONPATH": os.pathsep.join([str(folder), *([known] if known else [])])}
