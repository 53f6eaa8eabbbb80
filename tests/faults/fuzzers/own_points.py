"""Files of points that somebody brings, and what he says of them: a dataset that can be trained on, or one line."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from trained import trains_or_is_refused

SHAPES = st.one_of(
    arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40),
    arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6),
    st.sampled_from([(30, 4), (40, 8, 8), (30, 3, 8, 8), (30, 8, 8, 1), (300, 2), (1, 5), (2, 1), (60, 1)]),
)
KINDS = st.sampled_from(["f4", "f8", "f2", "i8", "u1", "u2", "i2", "?", "c8", "U3", "M8[s]", "O", ">f4", ">u2"])


@st.composite
def array(draw: st.DrawFn) -> Any:
    """Draw an array: mostly of plain numbers, now and then with what are none."""
    shape, kind = draw(SHAPES), draw(KINDS)
    scale = draw(st.sampled_from([1, 30, 0]))
    numbers = np.asarray(np.random.default_rng(draw(st.integers(0, 99))).normal(size=shape) * scale)
    whole = kind in ("i8", "u1", "u2", "i2", "M8[s]", ">u2")
    found = np.asarray((numbers * 100).astype("i8") if whole else numbers).astype(kind)
    if found.dtype.kind == "f" and found.size:
        spoilt = draw(st.sampled_from([None, None, None, np.nan, np.inf, 3e38]))
        if spoilt is not None:
            found.reshape(-1)[draw(st.integers(0, found.size - 1))] = spoilt
    return found


def as_npy(content: Any) -> bytes:
    """Return an array as .npy has it."""
    file = io.BytesIO()
    np.save(file, content, allow_pickle=True)
    return file.getvalue()


def as_npz(content: dict[str, Any]) -> bytes:
    """Return arrays as .npz has them."""
    file = io.BytesIO()
    np.savez(file, **content)
    return file.getvalue()


TABLES = st.lists(
    st.lists(
        st.sampled_from(["1", "2.5", "-3", "", "nan", "inf", "a", "=1", '"x', "1e400", "0x1", "²"]),
        min_size=1,
        max_size=4,
    ),
    max_size=20,
).map(lambda rows: "\n".join(",".join(row) for row in [["a", "b", "labels"], *rows]).encode())
PLAIN_TABLES = st.integers(4, 60).map(
    lambda n: "\n".join(["a,b,labels", *(f"{place % 7}.5,{place % 3},{place % 4}" for place in range(n))]).encode()
)
FILES = st.one_of(
    st.tuples(st.just("x.npy"), array().map(as_npy)),
    st.tuples(
        st.just("x.npz"),
        st.dictionaries(st.sampled_from(["x", "points", "labels", "y"]), array(), max_size=3).map(as_npz),
    ),
    st.tuples(st.just("x.csv"), TABLES | PLAIN_TABLES | st.binary(max_size=60)),
    st.tuples(st.just("x.tsv"), PLAIN_TABLES.map(lambda text: text.replace(b",", b"\t"))),
    st.tuples(st.sampled_from(["x.npy", "x.npz", "x.parquet", "x.bin", "x"]), st.binary(max_size=200)),
)
SAID = {
    "clusters": ["2", "3", "10", "1", "1000000000"],
    "labels": ["L.npy", "labels", "b", "y", "none"],
    "scale": ["none", "standard", "unit", "centred"],
    "window": ["4", "10", "1000000000"],
    "step": ["1", "3"],
    "form": ["windows", "features"],
    "groups": ["b", "labels", "L.npy"],
    "test": ["0", "1+2"],
    "columns": ["a", "a+b"],
    "key": ["x", "points"],
    "name": ["mine", "../x"],
    "subset": ["2", "9", "20"],
    "imbalance": ["1", "3"],
    "noise": ["uniform:0.3", "class:1"],
    "pca": ["1", "2", "50"],
    "pixels": ["standardised"],
}
NONSENSE = ["", "0", "-1", "²", "١", "1e3", "1_0", "a", "labels", "9" * 400, "nan"]


def said_of(name: str) -> st.SearchStrategy[tuple[str, str]]:
    """Return what may be said for an option: what it is for, and now and then nonsense."""
    sense = st.sampled_from(SAID[name])
    return st.tuples(st.just(name), st.one_of(sense, sense, sense, sense, sense, st.sampled_from(NONSENSE)))


CLUSTERS = st.sampled_from([("clusters", "3"), ("clusters", "2"), ("labels", "L.npy")])
OPTIONS = st.tuples(CLUSTERS, st.lists(st.sampled_from(sorted(SAID)).flatmap(said_of), max_size=3)).map(
    lambda drawn: dict([drawn[0], *drawn[1]])
)
CASES = st.tuples(
    FILES,
    st.sampled_from([40, 30, 300, 0, 7]),
    OPTIONS,
    st.sampled_from(["whole", "split"]),
    st.sampled_from(["kmeans", "entropy"]),
    st.one_of(st.just(1.0), st.just(1.0), st.floats(0.0, 1.0)),
)
"""(file and content, how many labels lie beside it, options, protocol, method, how much of the file has arrived)."""


def check(case: Any, results: Path) -> None:
    """Load it; what is taken is trained on, and every trial is complete."""
    (name, content), n_labels, options, protocol, method, share = case
    folder = results.with_name("points")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / name).write_bytes(content[: int(len(content) * share)])
    np.save(folder / "L.npy", np.arange(n_labels) % 3)
    written = ",".join(f"{key}={value.replace('L.npy', str(folder / 'L.npy'))}" for key, value in options.items())
    reference = f"{folder / name}{':' if written else ''}{written}"
    trains_or_is_refused(reference, protocol, method, folder)
