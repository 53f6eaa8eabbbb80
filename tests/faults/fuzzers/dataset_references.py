"""References of packaged data with options that nobody meant together: trained on, or refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

from hypothesis import strategies as st
from trained import trains_or_is_refused

NAMES = ["gaussians", "gaussians", "digits", "three_sides", "parallel_gaussians", "two_margins"]
ODD_NAMES = [
    "",
    "nosuch",
    "DIGITS",
    "digits ",
    "own_file",
    "own_data",
    "../digits",
    "__init__",
    "cifar10",
    "image_folder",
]
SAID = {
    "subset": ["2", "3", "40", "40", "1000000000"],
    "clusters": ["2", "3", "12", "1", "1000000000"],
    "labels": ["none"],
    "imbalance": ["1", "2", "3", "4"],
    "pixels": ["standardised"],
    "pca": ["1", "2", "64", "100"],
    "stream": ["class:2", "iid:3", "class:10", "class:11", "other:2"],
    "labelled": ["0", "0.1", "1", "1.5"],
    "noise": ["uniform:0.4", "class:1", "instance:0.2", "other:0.1"],
    "name": ["mine", "digits", "mine=x", "..", "a" * 101],
    "n_points": ["10", "100", "0"],
    "nosuch": ["1"],
}
NONSENSE = ["", "0", "-1", "²", "١", "1e3", "1_0", " 2", "+2", "a", ":", "9" * 400, "nan", "inf"]


def said_of(name: str) -> st.SearchStrategy[str]:
    """Return an option as it may be written: what it is for, and now and then nonsense."""
    sense = st.sampled_from(SAID[name])
    return st.one_of(sense, sense, sense, sense, st.sampled_from(NONSENSE)).map(lambda value: f"{name}={value}")


OPTIONS = st.lists(
    st.one_of(
        *[st.sampled_from(sorted(SAID)).flatmap(said_of)] * 6, st.sampled_from(["=", "subset", "", "a=b=c", " "])
    ),
    max_size=4,
)
CASES = st.tuples(
    st.one_of(*[st.sampled_from(NAMES)] * 5, st.sampled_from(ODD_NAMES)),
    OPTIONS,
    st.sampled_from(["whole", "split"]),
    st.sampled_from(["kmeans", "entropy"]),
)
"""(name of the dataset, options, protocol, method)."""


def check(case: tuple[str, list[str], str, str], results: Path) -> None:
    """Train on it, unless it is refused."""
    name, options, protocol, method = case
    folder = results.with_name("referred")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    trains_or_is_refused(f"{name}{':' if options else ''}{','.join(options)}", protocol, method, folder)
