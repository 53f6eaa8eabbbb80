"""What many trials have in common is made once: tensors in a file named by a key of all that they follow from."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
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

    Of two processes that make it at once the first is believed, and the second uses what that one kept: bits may differ
    between machines, and a worker that nobody waits for any more must not change what rows of others rest on. A damaged
    file is named in the log and made again; a folder that cannot be written to costs the keeping, not the tensors.

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
        if not _write(path, made, replace=path.is_file() and _is_damaged(path)):
            return _read(path)
    except OSError as error:
        _LOG.warning("artifact %r is not kept: %s: %s", str(path), type(error).__name__, error)
    return made


def _read(path: Path) -> dict[str, Tensor]:
    sys.audit("open", str(path), "rb", 0)  # safetensors opens files where Python does not see it
    with safe_open(path, framework="pt", device="cpu") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dict
        head = file.metadata() or {}
    if head.get("digest") != _digest(tensors):
        raise ValueError("its content does not match its digest")
    return tensors


def _is_damaged(path: Path) -> bool:
    try:
        _read(path)
    except (SafetensorError, OSError, ValueError):
        return True
    return False


def _write(path: Path, tensors: Mapping[str, Tensor], *, replace: bool) -> bool:
    """Write under a temporary name, then give it its own: a reader sees the whole file or none.

    Returns:
        Whether it was written; not, if there is a file of that name and it is not to be replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    os.close(descriptor)
    try:
        save_file(dict(tensors), name, {"digest": _digest(tensors)})
        if replace:
            Path(name).replace(path)
            return True
        return _named(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)


def _named(temporary: Path, path: Path) -> bool:
    """Give a file its name if nobody has that name; return whether it got it."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links: looking first has to do
        if path.exists():
            return False
        temporary.replace(path)
    return True


def _digest(tensors: Mapping[str, Tensor]) -> str:
    content = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        content.update(f"{name}{tuple(tensors[name].shape)}{tensors[name].dtype}".encode())
        content.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return content.hexdigest()
