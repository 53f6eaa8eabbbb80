"""What a study that keeps files of its trials (`Study.keep`) takes on disk, said before it is run."""

from __future__ import annotations

from typing import Any

from orchestrator.ledger import Ledger
from orchestrator.plan.rehearsal import bytes_kept
from orchestrator.price.demand import Demand

__all__ = ["disk_of"]


def disk_of(asked: Demand, ledger: Ledger) -> dict[str, Any]:
    """Return what is kept: `trials`, those `here`, `again` (trained again for it), `bytes` to come; empty: nothing is.

    Bytes are None where a trial's own are not known before it was trained, as of a command.
    """
    if not asked.kept:
        return {}
    wanted = {trial_id: spec for trial_id, spec in asked.to_confirm.items() if trial_id in asked.kept}
    sizes: dict[str, float | None] = {}
    total: float | None = 0.0
    for spec in wanted.values():
        name = f"{spec.method} {sorted(spec.config.items())} {spec.dataset}"
        if name not in sizes:
            sizes[name] = bytes_kept(spec, asked.plan.catalogue)
        one = sizes[name]
        total = None if one is None or total is None else total + one
    found = {"trials": len(asked.kept), "here": len(asked.kept) - len(wanted), "again": len(asked.unkept)}
    return {**found, "bytes": total, "sentence": _sentence(found, total)}


def _sentence(found: dict[str, int], n_bytes: float | None) -> str:
    what = f"Weights, assignments and embeddings of {found['trials']} trials are kept"
    if found["here"] == found["trials"]:
        return f"{what}; all are here."
    if n_bytes is None:
        size = "how much disk the others take is known once one is trained"
    else:
        size = f"the others take about {n_bytes / 1e6:.2f} MB of disk"
    again = ""
    if found["again"]:
        again = f" {found['again']} of them are in the ledger without files, and are trained again for these."
    return f"{what}, {found['here']} of them here; {size}.{again}"
