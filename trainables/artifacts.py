"""What many trials have in common is made once: tensors in a file named by a key of all that they follow from."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

__all__ = ["made_once"]

_LOG = logging.getLogger(__name__)


def made_once(folder: Path, key: str, make: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the tensors of the artifact `key` in `folder`; when there is none, `make` makes it, and it is kept.

    Two processes that make it at once write the same, one after the other. A damaged file is named in the log and made
    again; a folder that cannot be written to costs the keeping, not the tensors.

    Args:
        folder: where artifacts of a kind lie; made when it is not there.
        key: digest of all that the tensors follow from.
        make: what is dear.
    """
    path = folder / f"{key}.safetensors"
    if path.is_file():
        try:
            return _read(path)
        except (SafetensorError, OSError, ValueError) as error:
            _LOG.warning("artifact %r is made again: %s: %s", str(path), type(error).__name__, error)
    made = {name: tensor.detach().cpu().contiguous() for name, tensor in make().items()}
    try:
        _write(path, made)
    except OSError as error:
        _LOG.warning("artifact %r is not kept: %s: %s", str(path), type(error).__name__, error)
    return made


def _read(path: Path) -> dict[str, Tensor]:
    with safe_open(path, framework="pt", device="cpu") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dict
        head = file.metadata() or {}
    if head.get("digest") != _digest(tensors):
        raise ValueError("its content does not match its digest")
    return tensors


def _write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write under a temporary name, then rename: a reader sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    os.close(descriptor)
    try:
        save_file(dict(tensors), name, {"digest": _digest(tensors)})
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(tensors: Mapping[str, Tensor]) -> str:
    content = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        content.update(f"{name}{tuple(tensors[name].shape)}{tensors[name].dtype}".encode())
        content.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return content.hexdigest()
