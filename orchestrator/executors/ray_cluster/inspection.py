"""What every node of a cluster offers, asked by one small task on each, before anything is spent."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import RequestError
from orchestrator.executors.ray_cluster.cluster import Cluster
from orchestrator.executors.ray_tune.threads import within

__all__ = ["inspect_nodes", "problems_of"]

NODE_SECONDS = 120.0
"""How long a node may take to answer; its first task installs the shipped packages and imports torch."""

ANSWER_SECONDS = 10.0
"""How long the cluster may take to name its nodes."""

SHARED_FILE = ".doctor"


def inspect_nodes(address: str, results: Path, datasets: Sequence[str]) -> list[dict[str, Any]]:
    """Return what each node says of itself: host, CPUs, GPUs, versions, the results folder, datasets.

    Args:
        address: as of `RayTuneExecutor`.
        results: the results folder; of nodes that do not see it, checkpoints travel.
        datasets: names of datasets to look for.

    Raises:
        RequestError: there is no cluster at the address.
    """
    over = threading.Event()

    def work() -> None:
        over.wait(0.2)

    cluster = Cluster(address, work, quiet=True)
    try:
        cluster.wait()
        return _asked(results, datasets)
    finally:
        over.set()
        cluster.close()


def _asked(results: Path, datasets: Sequence[str]) -> list[dict[str, Any]]:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    word = secrets.token_hex(8)
    results.mkdir(parents=True, exist_ok=True)
    mark = results.resolve() / SHARED_FILE
    mark.write_text(word)
    look = ray.remote(num_cpus=0)(_looker())
    waiting: dict[Any, Mapping[str, Any]] = {}
    try:
        nodes = within(ANSWER_SECONDS, ray.nodes)
    except TimeoutError:
        raise RequestError(f"the cluster does not say within {ANSWER_SECONDS:g} s what nodes it has") from None
    for node in nodes:
        if node["Alive"]:
            strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            asked = look.options(scheduling_strategy=strategy).remote(str(mark), word, list(datasets))
            waiting[asked] = node
    ready, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=NODE_SECONDS)
    found = []
    for asked, node in waiting.items():
        said: dict[str, Any] = {"problem": f"no answer within {NODE_SECONDS:g} s"}
        if asked in ready:
            try:
                said = ray.get(asked)
            except Exception as error:  # whatever it is, it is what the doctor is asked for
                said = {"problem": " ".join(str(error).split())[-300:]}
        resources = node["Resources"]
        offered = {"cpus": resources.get("CPU", 0.0), "gpus": resources.get("GPU", 0.0)}
        found.append({"node": node["NodeID"][:8], "address": node["NodeManagerAddress"], **offered, **said})
    mark.unlink(missing_ok=True)
    return found


def _looker() -> Callable[[str, str, list[str]], dict[str, Any]]:
    """Return what a node runs; nested, so that it travels by value and needs nothing there but the shipped packages."""

    def look(mark: str, word: str, datasets: list[str]) -> dict[str, Any]:
        import platform
        from pathlib import Path

        import torch

        from orchestrator import discovery
        from orchestrator.provenance import versions

        try:
            shared = Path(mark).read_text() == word
        except OSError:
            shared = False
        present = {}
        for name in datasets:
            check = getattr(discovery.find("dataset", name), "absent", None)
            present[name] = str(check()) if check is not None and check() else "present"
        return {
            "host": platform.node(),
            "versions": versions(),
            "torch_sees_gpus": torch.cuda.device_count(),
            "shares_results": shared,
            "datasets": present,
        }

    return look


def problems_of(nodes: Sequence[Mapping[str, Any]], own: Mapping[str, str]) -> list[str]:
    """Return one line for whatever would spoil a run: versions that differ, GPUs torch cannot see."""
    found = []
    for node in nodes:
        where = f"node {node['node']} ({node.get('host', node['address'])})"
        if "problem" in node:
            found.append(f"{where}: {node['problem']}")
            continue
        theirs = node["versions"]
        differ = [
            f"{name} {theirs.get(name, 'absent')}, here {own[name]}" for name in own if theirs.get(name) != own[name]
        ]
        if differ:
            found.append(f"{where} has other versions: {'; '.join(differ)}")
        if node["gpus"] > node["torch_sees_gpus"]:
            found.append(f"{where} offers {node['gpus']:g} GPUs, torch sees {node['torch_sees_gpus']}")
    return found
