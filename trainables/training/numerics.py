"""Where and how numbers are computed: set before a bundle is trained, and told in every row."""

from __future__ import annotations

import logging
import os
import platform
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

from orchestrator.errors import RequestError
from orchestrator.machine.limits import memory_bytes_of_a_core
from orchestrator.trial import PRECISIONS

__all__ = ["configure_numerics", "device_of"]

_LOG = logging.getLogger(__name__)


def device_of(name: str) -> torch.device:
    """Return the device of a task; a GPU that torch cannot use is replaced by the CPU, aloud and in the rows."""
    if name.startswith("cuda") and not torch.cuda.is_available():
        _LOG.warning("%r: torch sees no GPU on %s; training on its CPU, as the rows say", name, platform.node())
        return torch.device("cpu")
    return torch.device(name)


def configure_numerics(device: torch.device, precision: str, threads: int) -> Mapping[str, Any]:
    """Set threads, TF32 and determinism of this process, and return the facts that go into the ledger's rows.

    On a GPU: TF32 only where it was asked for, deterministic kernels (those that have none warn), no search for the
    fastest convolution. On a CPU nothing but the thread count is a choice; forward passes in bfloat16 are not set
    here but by `trainables.precision`, around each epoch.

    Raises:
        RequestError: a precision that nobody has written, or one that this device does not have.
    """
    if precision not in PRECISIONS:
        raise RequestError(f"precision {precision!r} is not supported; allowed: {', '.join(PRECISIONS)}")
    tf32 = precision == "tf32"
    if tf32 and device.type != "cuda":
        raise RequestError(f"precision 'tf32' is one of GPUs; {device.type} has float32 and bfloat16")
    torch.set_num_threads(threads)
    facts = {"tf32": tf32, "deterministic": True}
    if device.type != "cuda":
        return {**facts, **_processor(), "deterministic": threads == 1}
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = False
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    card = torch.cuda.get_device_properties(device)
    return {**facts, "device_name": card.name, "device_memory_bytes": int(card.total_memory)}


@cache
def _processor() -> Mapping[str, Any]:
    """Return the processor's name and one core's part of the memory."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    name = found[1] if found else platform.processor() or platform.machine()
    return {"device_name": name, "device_memory_bytes": memory_bytes_of_a_core()}
