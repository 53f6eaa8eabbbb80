"""What the options of any dataset's reference take: their names, and the values that their texts stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.errors import RequestError
from trainables.data.derived.given_labels import NOISES
from trainables.encoders import ENCODERS

__all__ = ["OPTIONS", "parsed"]

OPTIONS: Mapping[str, str] = {
    "labels": "none",
    "clusters": "how many clusters to look for, a whole number from 2",
    "imbalance": "1, 2 or 3",
    "subset": "a number of points, at least 2",
    "pixels": "standardised",
    "features": f"{', '.join(ENCODERS)}, or one of these, a colon and the side to which images are scaled (32 to 1024)",
    "pca": "a number of principal axes",
    "stream": "class or iid, a colon and a number of phases, from 2 to the number of classes",
    "labelled": "a share from 0 to 1",
    "noise": "uniform, class or instance, a colon and a share from 0 to 1",
}
"""Option -> what it takes, in the order in which options act."""


def parsed(options: str, reference: str, own: Sequence[str]) -> dict[str, Any]:
    """Return the values of options by name.

    Args:
        options: `name=value` joined by commas, from `OPTIONS`.
        reference: the whole reference, for messages.
        own: options of the dataset's own loader, for messages.

    Raises:
        RequestError: an option that does not exist, stands twice, or has a value outside its domain.
    """
    asked: dict[str, Any] = {}
    for option in options.split(","):
        name, _, text = option.partition("=")
        if name not in OPTIONS:
            known = dict.fromkeys([*own, *OPTIONS, "name"])  # some loaders have an option of a general one's name
            raise RequestError(f"dataset {reference!r}: unknown option {name!r}; there are: {', '.join(known)}")
        if name in asked:
            raise RequestError(f"dataset {reference!r}: option {name!r} stands twice")
        try:
            asked[name] = _VALUES[name](text)
        except ValueError:
            raise RequestError(f"dataset {reference!r}: {name} = {text!r}, allowed: {OPTIONS[name]}") from None
    return asked


def _no_labels(text: str) -> str:
    if text != "none":
        raise ValueError(text)
    return text


def _pixels(text: str) -> str:
    if text != "standardised":
        raise ValueError(text)
    return text


def _level(text: str) -> int:
    if text not in ("1", "2", "3"):
        raise ValueError(text)
    return int(text)


def _size(text: str) -> int:
    if int(text) < 2:
        raise ValueError(text)
    return int(text)


def _encoder(text: str) -> tuple[str, int]:
    name, colon, side = text.partition(":")
    if name not in ENCODERS or (colon and not 32 <= int(side) <= 1024):
        raise ValueError(text)
    return name, int(side or 0)


def _share(text: str) -> float:
    if not 0.0 <= float(text) <= 1.0:
        raise ValueError(text)
    return float(text)


def _stream(text: str) -> tuple[str, int]:
    kind, _, phases = text.partition(":")
    if kind not in ("class", "iid") or int(phases) < 2:
        raise ValueError(text)
    return kind, int(phases)


def _noise(text: str) -> tuple[str, float]:
    kind, _, share = text.partition(":")
    if kind not in NOISES:
        raise ValueError(text)
    return kind, _share(share)


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "labels": _no_labels,
    "clusters": _size,
    "imbalance": _level,
    "subset": _size,
    "pixels": _pixels,
    "features": _encoder,
    "pca": int,
    "stream": _stream,
    "labelled": _share,
    "noise": _noise,
}
