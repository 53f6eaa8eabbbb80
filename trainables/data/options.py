"""Views of a dataset by options in its reference: imbalance, subset, features, streams, given labels and noise.

`mnist_5k:imbalance=2,subset=1000,labelled=0.1,noise=uniform:0.4` is a dataset of its own, with its own digest;
`features=efficientnet_lite0` turns images into features of a frozen encoder; `pca=64` keeps the coordinates on the
first 64 principal axes of the train part; `pixels=standardised` scales them channel
by channel, as most code of the papers does (a dataset's file subtracts the mean image alone). Options act in the order
below, however they are written; every draw comes from a fixed stream, so a reference always means the same points.
Imbalance and subset act on the test part too, in proportion; labels are given in the train part only.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

from orchestrator.errors import DataError, RequestError
from trainables.data.dataset import Dataset, all_finite
from trainables.data.derived.draws import generator_of
from trainables.data.derived.features import features
from trainables.data.derived.given_labels import NOISES, shown
from trainables.data.derived.imbalance import imbalance_shares
from trainables.data.derived.option_values import parsed
from trainables.data.derived.projection import projected
from trainables.threads import one_thread

__all__ = ["loaded", "wrapped"]

WHOLE = re.compile("[0-9]{1,15}")
"""A whole number as text; what else Unicode calls digits is none."""

READ_LABELS = ("imbalance", "stream", "labelled", "noise")


def loaded(load: Callable[..., Dataset], options: str, reference: str) -> Dataset:
    """Return the dataset that `load` gives, under `options`: those named like a parameter of `load` are for it.

    Args:
        load: a dataset file's function; every parameter it may have has a default, a text or a whole number. One of
            many options takes a single dataclass, whose fields are the options, and has one as its default.
        options: `name=value` joined by commas: parameters of `load`, then those of `option_values.OPTIONS`.
        reference: the whole reference, for the name and for messages.

    Raises:
        RequestError: an option that does not exist, stands twice, or has a value outside its domain.
        DataError: `load` gave what no method can read: the line says which tensor and why.
    """
    grouped, defaults = _own_options(load)
    pairs = [option.partition("=")[::2] for option in options.split(",") if options]
    own = {name: value for name, value in pairs if name in defaults}
    names = [name for name, _ in pairs]
    for name, text in own.items():
        if names.count(name) > 1:
            raise RequestError(f"dataset {reference!r}: option {name!r} stands twice")
        if isinstance(defaults[name], int) and not WHOLE.fullmatch(text):
            raise RequestError(f"dataset {reference!r}: {name} = {text!r}, allowed: a whole number")
    general = ",".join(f"{name}={text}" for name, text in pairs if name not in own)
    if general:
        parsed(general, reference, tuple(defaults))  # a misspelt option is named before a file is read without it
    values = {name: int(text) if isinstance(defaults[name], int) else text for name, text in own.items()}
    dataset = load(**values) if grouped is None else load(replace(grouped, **values))
    _check(dataset)
    if own:
        dataset = replace(dataset, name=reference)
    return wrapped(dataset, general, reference, tuple(defaults))


def _own_options(load: Callable[..., Dataset]) -> tuple[Any, dict[str, Any]]:
    """Return the dataclass of its options that a loader takes, None if it takes them one by one; and their defaults."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(load).parameters.items()}
    for default in defaults.values():
        if is_dataclass(default):
            return default, dict(vars(default))
    return None, defaults


def _check(dataset: Dataset) -> None:
    """Refuse what a dataset's file got wrong, before a worker stumbles over it."""
    parts = (("inputs", dataset.inputs, dataset.labels), ("test_inputs", dataset.test_inputs, dataset.test_labels))
    for name, inputs, labels in parts:
        wrong = ""
        if inputs is None or labels is None:
            wrong = (
                "have no labels"
                if inputs is not None
                else "are absent, but their labels are not"
                if labels is not None
                else ""
            )
        elif inputs.dtype != torch.float32 or inputs.dim() not in (2, 4):
            wrong = f"are {inputs.dtype} {tuple(inputs.shape)}, allowed: float32 (N, d) or (N, C, H, W)"
        elif labels.dtype != torch.int64 or labels.shape != inputs.shape[:1]:
            wrong = f"have labels {labels.dtype} {tuple(labels.shape)}, allowed: int64 ({len(inputs)},)"
        elif len(labels) and not -1 <= int(labels.min()) <= int(labels.max()) < dataset.n_classes:
            wrong = f"have labels {int(labels.min())} to {int(labels.max())}, allowed: 0 to {dataset.n_classes - 1}"
            wrong += ", and -1 where nobody knows the class"
        elif not all_finite(inputs):
            wrong = "hold NaN or infinite values"
        if wrong:
            raise DataError(f"dataset {dataset.name}: its {name} {wrong}")


def wrapped(dataset: Dataset, options: str, reference: str, own: Sequence[str] = ()) -> Dataset:
    """Return the view of `dataset` that `options` describe, named `reference`.

    Args:
        dataset: as its file loads it (before a protocol merges its parts).
        options: `name=value` joined by commas, from `option_values.OPTIONS`; empty: the dataset itself.
        reference: the whole reference, for the name and for messages.
        own: options of the dataset's own loader, for messages.

    Raises:
        RequestError: an option that does not exist, stands twice, or has a value outside its domain.
    """
    if not options:
        return dataset
    asked = parsed(options, reference, own)
    dataset = _with_classes(dataset, asked, reference)
    if "imbalance" in asked:
        shares = imbalance_shares(asked["imbalance"], dataset.n_classes)
        dataset = _thinned(dataset, lambda labels, part: _imbalanced(labels, shares, part))
    if "subset" in asked:
        dataset = _subset(dataset, asked["subset"], reference)
    if "pixels" in asked:
        dataset = _standardised(dataset, reference)
    if "features" in asked:
        dataset = features(dataset, *asked["features"])
    if "pca" in asked:
        dataset = projected(dataset, asked["pca"])
    if "stream" in asked:
        kind, phases = asked["stream"]
        dataset = _streamed(dataset, kind, phases, reference)
    if "labelled" in asked or "noise" in asked:
        given = NOISES[asked["noise"][0]](dataset, asked["noise"][1]) if "noise" in asked else dataset.labels
        dataset = replace(dataset, given_labels=shown(given, dataset, asked.get("labelled", 1.0)))
    return replace(dataset, name=reference)


def without_labels(dataset: Dataset) -> Dataset:
    """Return points whose classes nobody knows: methods look for as many clusters as there were classes."""
    test = dataset.test_labels
    return replace(
        dataset,
        labels=torch.full_like(dataset.labels, -1),
        test_labels=None if test is None else torch.full_like(test, -1),
        given_labels=None,
        clusters=dataset.n_clusters,
    )


def _with_classes(dataset: Dataset, asked: Mapping[str, Any], reference: str) -> Dataset:
    """Return the dataset with the labels and the number of clusters that are asked for."""
    if "labels" in asked:
        dataset = without_labels(dataset)
    if "clusters" in asked:
        dataset = _looking_for(dataset, asked["clusters"])
    _require_labels(dataset, asked, reference)
    return dataset


def _looking_for(dataset: Dataset, clusters: int) -> Dataset:
    unknown = dataset.n_labelled == 0 and not bool((dataset.labels >= 0).any())
    return replace(dataset, clusters=clusters, n_classes=clusters if unknown else dataset.n_classes)


def _require_labels(dataset: Dataset, asked: Mapping[str, Any], reference: str) -> None:
    """Refuse options that order or mark points by their classes where these are not known, or are more than clusters.

    Raises:
        RequestError: names the option.
    """
    reading = [name for name in READ_LABELS if name in asked]
    parts = [part for part in (dataset.labels, dataset.test_labels) if part is not None]
    if reading and any(bool((part < 0).any()) for part in parts):
        raise RequestError(f"dataset {reference!r}: {reading[0]} needs the class of every point, and some have none")
    if ("labelled" in asked or "noise" in asked) and dataset.n_clusters < dataset.n_classes:
        raise RequestError(
            f"dataset {reference!r}: labels of {dataset.n_classes} classes cannot be given to {dataset.n_clusters} "
            "clusters; allowed: at least as many clusters"
        )


def _thinned(dataset: Dataset, chosen: Callable[[Tensor, str], Tensor]) -> Dataset:
    """Return both parts of `dataset` with only the points `chosen(labels, part)` (sorted indices)."""
    train = chosen(dataset.labels, "train")
    given = dataset.given_labels
    dataset = replace(
        dataset,
        inputs=dataset.inputs[train],
        labels=dataset.labels[train],
        given_labels=None if given is None else given[train],
    )
    if dataset.test_inputs is None or dataset.test_labels is None:
        return dataset
    test = chosen(dataset.test_labels, "test")
    return replace(dataset, test_inputs=dataset.test_inputs[test], test_labels=dataset.test_labels[test])


def _imbalanced(labels: Tensor, shares: Tensor, part: str) -> Tensor:
    order = torch.randperm(len(labels), generator=generator_of(f"imbalance.{part}"))
    kept = []
    for label, share in enumerate(shares.tolist()):
        members = order[labels[order] == label]
        kept.append(members[: max(1, round(share * len(members)))])
    return torch.cat(kept).sort().values


def _standardised(dataset: Dataset, reference: str) -> Dataset:
    """Return images as most code of the papers has them: each channel less its mean, over its standard deviation.

    Both are those of all pixels of the train part; nothing is subtracted pixel by pixel, so there is no offset.
    """
    if dataset.offset is None:
        raise RequestError(f"dataset {reference!r}: pixels = 'standardised' is for images with their offset")
    pixels = dataset.inputs + dataset.offset
    with one_thread():
        mean = pixels.mean((0, 2, 3)).view(-1, 1, 1)
        spread = pixels.std((0, 2, 3)).view(-1, 1, 1)
    spread = torch.where(spread > 0, spread, torch.ones_like(spread))
    others = {name: getattr(dataset, name) for name in ("test_inputs", "unlabelled")}
    scaled = {name: (part + dataset.offset - mean) / spread for name, part in others.items() if part is not None}
    return replace(dataset, inputs=(pixels - mean) / spread, offset=None, **scaled)


def _subset(dataset: Dataset, size: int, reference: str) -> Dataset:
    n_test = 0 if dataset.test_labels is None else len(dataset.test_labels)
    total = len(dataset) + n_test
    if size > total:
        raise RequestError(f"dataset {reference!r}: subset = {size}, allowed: at most the {total} points there are")
    share = {"train": size - round(size * n_test / total), "test": round(size * n_test / total)}

    def chosen(labels: Tensor, part: str) -> Tensor:
        order = torch.randperm(len(labels), generator=generator_of(f"subset.{part}"))
        return order[: share[part]].sort().values

    return _thinned(dataset, chosen)


def _streamed(dataset: Dataset, kind: str, phases: int, reference: str) -> Dataset:
    """Return the points with the phase in which each comes: classes one group after another, or all of them mixed.

    The groups of classes are drawn from a fixed stream, as even in number as can be. A mixed stream has phases of the
    same sizes, so the two differ in the order of the points alone. Classes order the points as they would come, and are
    read nowhere else.
    """
    classes = dataset.n_classes
    if phases > classes:
        raise RequestError(f"dataset {reference!r}: stream = {phases} phases, allowed: at most the {classes} classes")
    place = torch.randperm(classes, generator=generator_of("stream.classes"))
    of_class = torch.empty(classes, dtype=torch.int64)
    of_class[place] = torch.arange(classes) * phases // classes

    def arrival(labels: Tensor, part: str) -> Tensor:
        by_class = of_class[labels]
        if kind == "class":
            return by_class
        mixed = torch.empty_like(by_class)
        mixed[torch.randperm(len(labels), generator=generator_of(f"stream.iid.{part}"))] = by_class.sort().values
        return mixed

    test = None if dataset.test_labels is None else arrival(dataset.test_labels, "test")
    return replace(dataset, arrival=arrival(dataset.labels, "train"), test_arrival=test)
