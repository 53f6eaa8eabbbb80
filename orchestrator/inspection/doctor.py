"""What this machine and a cluster offer, which datasets are here, and what is wrong with a results folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator import discovery
from orchestrator.errors import DataError
from orchestrator.ledger import Ledger
from orchestrator.ledger.lock import holder_of
from orchestrator.provenance import git_commit, machine, versions

__all__ = ["doctor"]


def doctor(results: Path, *, repair: bool, plugins: Sequence[str] = (), address: str = "") -> dict[str, Any]:
    """Return what this machine offers and what is wrong with the results folder; `repair` sets broken files aside.

    With an address, every node of that cluster is asked too, and `nodes` and `problems` say what it answered.
    """
    with Ledger(results, writable=repair) as ledger:
        problems = ledger.doctor.repair() if repair else ledger.doctor.problems()
        broken = _broken_checkpoints(ledger)
        for bundle_id in broken if repair else ():
            ledger.checkpoints.set_aside(bundle_id)
        problems += broken.values()
        unfinished = ledger.checkpoints.unfinished()
    nodes: list[dict[str, Any]] = []
    if address:
        from orchestrator.executors.ray_cluster.inspection import inspect_nodes, problems_of

        nodes = inspect_nodes(address, results, discovery.names("dataset"))
        problems = [*problems, *problems_of(nodes, versions())]
    return {
        **({"nodes": nodes} if address else {}),
        "machine": machine(),
        "versions": versions(),
        "git_commit": git_commit(),
        "datasets": {
            name: _presence(discovery.find("dataset", name, plugins)) for name in discovery.names("dataset", plugins)
        },
        "results": str(results),
        "running": holder_of(results),
        "unfinished_bundles": len(unfinished),
        "problems": problems,
        "repaired": repair,
    }


def _broken_checkpoints(ledger: Ledger) -> dict[str, str]:
    """Return bundle_id -> one line for each checkpoint that a run could not go on from."""
    found = {}
    for bundle_id in ledger.checkpoints.unfinished():
        try:
            discovery.checkpoints().read(ledger.checkpoints.folder(bundle_id))
            if not ledger.checkpoints.members(bundle_id):
                found[bundle_id] = f"checkpoints/{bundle_id} does not say whose it is"
        except DataError as error:
            found[bundle_id] = " ".join(str(error).split())
    return found


def _presence(module: Any) -> str:
    """Return whether a dataset can be loaded now, or the command that brings it."""
    check = getattr(module, "absent", None)
    return str(check()) if check is not None and check() else "present"
