"""Your own points: `--set dataset=emb.npy:clusters=10`, or a .npz, .csv, .tsv or .parquet file, or a folder of images.

    emb.npy:labels=y.npy               labels from a file (-1: nobody knows), or a column: table.csv:labels=species
    emb.npy:clusters=10                no labels: scores are internal, and the number of clusters must be said
    photos/:side=32,clusters=8         a flat folder of images has no labels, FOLDER/CLASS/*.png has; side in pixels
    walk.csv:window=100,step=50,groups=person,test=8+9    a recording cut into windows, people 8 and 9 held out
    ...,name=mine                      what tables, sentences and figures call it

Numbers are taken as they are (`scale` changes them); whole numbers of 8 or 16 bits are pixels, and become [0, 1] less
the mean image. Paths are relative to the current folder. A float32 .npy file is mapped into memory, not copied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from orchestrator.errors import DataError, RequestError
from trainables.data.array_files import Content, read, read_column
from trainables.data.dataset import Dataset
from trainables.data.image_files import ENDINGS, by_class, pictures
from trainables.data.image_sets import centred
from trainables.data.series import borders, starts, window_features

__all__ = ["Asked", "absent", "load"]

Array = np.ndarray[Any, Any]

SCALES = ("none", "centred", "standard", "unit")
FORMS = ("windows", "features")

UNKNOWN = -1


@dataclass(frozen=True)
class _Points:
    """Points of a file, as float32 (N, d) or (N, C, H, W), with what is known of each."""

    inputs: Array
    labels: Array
    """(N,) int64, UNKNOWN where nobody knows."""
    n_classes: int
    groups: Array | None = None
    """(N,) texts."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of a reference to a file: each field is one."""

    file: str = ""
    """Its path; a folder holds images."""
    labels: str = "none"
    """A file, a column, or an array of the .npz file; `none`: nobody knows them."""
    columns: str = ""
    """Of a table, those of the points, joined by +; empty: all numbers but labels and groups."""
    key: str = ""
    """Of a .npz file, the array of the points."""
    scale: str = "none"
    """`none`, `centred`, `standard` (each column has mean 0 and deviation 1) or `unit` (each point has length 1), by
    the points that are fitted."""
    side: int = 64
    """Of images, in pixels."""
    window: int = 0
    """Samples of a window, of rows that are samples in the order of time; 0: rows are points."""
    step: int = 0
    """Samples from a window to the next; 0: half a window."""
    form: str = "windows"
    """`windows` stay what they are, (1, samples, channels); or `features` of them."""
    groups: str = ""
    """A file or a column with the group (a person) of each row: windows never mix two."""
    test: str = ""
    """Groups of the test part, joined by +."""
    clusters: int = 0
    """How many to look for; 0: as many as classes."""


NOTHING_ASKED = Asked()


def load(asked: Asked = NOTHING_ASKED) -> Dataset:
    """Return the points of a file or a folder of images.

    Raises:
        DataError: a file is absent or damaged, or holds no points; the line names it.
        RequestError: an option that does not fit; the line says what is allowed.
    """
    if missing := absent(asked.file):
        raise DataError(missing)
    if asked.scale not in SCALES:
        raise RequestError(f"dataset file: scale = {asked.scale!r}, allowed: {', '.join(SCALES)}")
    if asked.form not in FORMS:
        raise RequestError(f"dataset file: form = {asked.form!r}, allowed: {', '.join(FORMS)}")
    path = Path(asked.file)
    if path.is_dir():
        return _with_clusters(_images(path, asked.labels, asked.side), asked)
    found = _points(read(path), asked, path)
    if asked.window:
        found = _cut(found, asked.window, asked.step or max(1, asked.window // 2), asked.form)
    fitted = _fitted(found, asked.test)
    points = _dataset(path.stem, found, fitted, asked.scale, of_windows=bool(asked.window))
    return _with_clusters(points, asked)


def absent(file: str = "") -> str:
    """Return one line that says how to name a file; empty if one is named and there."""
    if not file:
        return "dataset own_file reads files of your own; this names one: --set dataset=emb.npy:clusters=10"
    return "" if Path(file).exists() else f"there is no file or folder {file!r}"


def _points(content: Content, asked: Asked, path: Path) -> _Points:
    labels, groups = asked.labels, asked.groups
    known = None if labels in ("none", "") else _beside(content, labels)
    if content.table:
        array = content.numbers([name for name in asked.columns.split("+") if name], [labels, groups])
    else:
        array = content.array(asked.key)
    if array.ndim < 2 or array.dtype.kind not in "iufb":
        raise DataError(f"{str(path)!r} holds {array.dtype} {array.shape}, allowed: numbers (points, ...)")
    names = _beside(content, groups).astype(str) if groups else None
    for source, values in ((labels, known), (groups, names)):
        if values is not None and values.shape != array.shape[:1]:
            raise DataError(f"{source!r} holds {values.shape}, allowed: one for each of the {len(array):,} points")
    classes = np.full(len(array), UNKNOWN, dtype=np.int64) if known is None else _as_labels(known)
    return _Points(array, classes, int(classes.max(initial=UNKNOWN)) + 1, names)


def _beside(content: Content, named: str) -> Array:
    """Return labels or groups: of a file of their own, or a column or array of the same one."""
    own = named not in content.arrays and Path(named).suffix
    return read_column(Path(named)) if own else content.column(named)


def _as_labels(values: Array) -> Array:
    """Return classes as whole numbers from 0, by the order of their names; UNKNOWN: -1, NaN, None and empty texts."""
    import pandas as pd

    column = pd.Series(values)
    numbers = column.dtype.kind in "iuf"
    gone = column == UNKNOWN if numbers else column.astype(str).isin(["", str(UNKNOWN)])
    absent = column.isna().to_numpy() | gone.to_numpy()
    kept = column[~absent]
    names, codes = np.unique(kept.to_numpy() if numbers else kept.astype(str).to_numpy(), return_inverse=True)
    if len(names) > max(2, len(kept) // 2) and numbers and column.dtype.kind == "f":
        raise DataError(f"labels hold {len(names)} different numbers for {len(kept)} points; allowed: classes")
    found = np.full(len(values), UNKNOWN, dtype=np.int64)
    found[~absent] = codes
    return found


def _cut(found: _Points, window: int, step: int, form: str) -> _Points:
    """Return windows of a recording as points; its samples are the rows of (samples, channels)."""
    if found.inputs.ndim != 2:
        raise DataError(f"windows are cut from (samples, channels), not {found.inputs.shape}")
    codes = [found.labels]
    if found.groups is not None:
        codes.append(np.unique(found.groups, return_inverse=True)[1].astype(np.int64))
    first = starts(borders(*codes), window, step)
    if not len(first):
        raise RequestError(f"window = {window}: no stretch of one group and one label is so long; allowed: less")
    series = np.asarray(found.inputs, dtype=np.float64)
    cut = np.stack([series[start : start + window] for start in first])
    inputs = cut[:, None] if form == "windows" else np.stack([window_features(one) for one in cut])
    groups = None if found.groups is None else found.groups[first]
    return _Points(inputs.astype(np.float32), found.labels[first], found.n_classes, groups)


def _fitted(found: _Points, test: str) -> Array:
    """Return which points are of the train part, (N,) bool."""
    if not test:
        return np.ones(len(found.inputs), dtype=bool)
    if found.groups is None:
        raise RequestError(f"test = {test!r} names groups of points; say groups=COLUMN or groups=FILE too")
    wanted = test.split("+")
    for name in wanted:
        if name not in found.groups:
            there = ", ".join(sorted(set(found.groups))[:10])
            raise RequestError(f"test = {test!r}: there is no group {name!r}; there are: {there}")
    return ~np.isin(found.groups, wanted)


def _dataset(name: str, found: _Points, fitted: Array, scale: str, *, of_windows: bool) -> Dataset:
    labels = torch.from_numpy(found.labels)
    whole = bool(fitted.all())
    if found.inputs.dtype.kind in "iu" and found.inputs.dtype.itemsize <= 2 and found.inputs.ndim > 2:
        pixels = _as_images(_bytes(found.inputs), name)
        parts = [(pixels[part], labels[part]) for part in _masks(fitted, whole)]
        return centred(name, found.n_classes, parts[0], None if whole else parts[1])
    inputs = torch.from_numpy(np.asarray(found.inputs, dtype=np.float32))
    inputs = _as_images(inputs, name) if inputs.dim() > 2 and not of_windows else inputs
    inputs = _scaled(inputs, torch.from_numpy(fitted), "standard" if of_windows and scale == "none" else scale)
    if whole:
        return Dataset(name, inputs, labels, found.n_classes)
    train, held = _masks(fitted, whole)
    return Dataset(name, inputs[train], labels[train], found.n_classes, inputs[held], labels[held])


def _masks(fitted: Array, whole: bool) -> list[Any]:
    return [slice(None)] if whole else [torch.from_numpy(fitted), torch.from_numpy(~fitted)]


def _bytes(pixels: Array) -> Tensor:
    """Return pixels of 8 or 16 bits as uint8."""
    shift = 8 if pixels.dtype.itemsize == 2 else 0
    return torch.from_numpy((pixels >> shift).astype(np.uint8))


def _as_images(inputs: Tensor, name: str) -> Tensor:
    """Return (N, H, W), (N, H, W, C) or (N, C, H, W) as (N, C, H, W)."""
    if inputs.dim() == 3:
        return inputs.unsqueeze(1)
    if inputs.dim() == 4 and inputs.shape[1] in (1, 3):
        return inputs
    if inputs.dim() == 4 and inputs.shape[3] in (1, 3):
        return inputs.permute(0, 3, 1, 2).contiguous()
    raise DataError(f"{name}: {tuple(inputs.shape)} are no images; allowed: (N, H, W), (N, C, H, W), (N, H, W, C)")


def _scaled(inputs: Tensor, fitted: Tensor, scale: str) -> Tensor:
    if scale == "none":
        return inputs
    if scale == "unit":
        lengths: Tensor = inputs.flatten(1).norm(dim=1).clamp_min(1e-12)
        units: Tensor = inputs / lengths.view(-1, *[1] * (inputs.dim() - 1))
        return units
    over = (0, 1, 2)[: inputs.dim() - 1] if inputs.dim() == 4 else (0,)
    mean = inputs[fitted].double().mean(over)
    if scale == "centred":
        return (inputs - mean).float()
    spread = inputs[fitted].double().std(over)
    scaled: Tensor = (inputs - mean) / torch.where(spread > 0, spread, torch.ones_like(spread))
    return scaled.float()


def _images(root: Path, labels: str, side: int) -> Dataset:
    """Return the images of a folder: flat ones have no labels, folders in it are the classes."""
    if side < 1:
        raise RequestError(f"side = {side}, allowed: at least 1")
    flat = sorted(path for path in root.iterdir() if path.suffix.lower() in ENDINGS)
    classes = sorted(path.name for path in root.iterdir() if path.is_dir())
    if flat:
        given = None if labels in ("none", "") else _as_labels(read_column(Path(labels)))
        if given is not None and given.shape != (len(flat),):
            raise DataError(f"{labels!r} holds {len(given)} labels for {len(flat)} images of {str(root)!r}")
        known = torch.full((len(flat),), UNKNOWN) if given is None else torch.from_numpy(given)
        return centred(root.name, int(known.max()) + 1, (pictures(flat, side), known.long()))
    if not classes:
        raise DataError(f"{str(root)!r} holds no images; allowed: {', '.join(ENDINGS)}, or one folder a class")
    files, found = by_class(root, classes)
    return centred(root.name, len(classes), (pictures(files, side), found))


def _with_clusters(dataset: Dataset, asked: Asked) -> Dataset:
    """Return the points with the number of clusters to look for, which must be known."""
    clusters = asked.clusters
    if clusters:
        if clusters < 2:
            raise RequestError(f"clusters = {clusters}, allowed: at least 2")
        return replace(dataset, clusters=clusters, n_classes=dataset.n_classes or clusters)
    if not dataset.n_classes:
        name = Path(asked.file).name
        raise RequestError(f"{name} has no labels: say how many clusters to look for, as in {name}:clusters=10")
    return dataset
