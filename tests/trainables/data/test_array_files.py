"""Arrays and tables come back from their files as they were written; what is ambiguous or absent is said in a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from orchestrator.errors import DataError, RequestError, UnknownNameError
from trainables.data.array_files import read, read_column

POINTS = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2, 3], "b": [0.5, -1.5, 2.25], "who": ["x", "y", "x"]})


def test_an_array_alone_is_mapped_and_what_is_written_into_it_stays_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "points.npy"
    np.save(path, POINTS)
    found = read(path).array()
    assert np.array_equal(found, POINTS) and found.dtype == np.float32
    found[0, 0] = 9.0
    assert np.array_equal(np.load(path), POINTS)


def test_the_points_of_several_arrays_are_those_with_a_usual_name_or_the_one_that_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "usual.npz", x=POINTS, y=np.arange(7))
    np.savez(tmp_path / "odd.npz", one=POINTS, two=2 * POINTS)
    np.savez(tmp_path / "both.npz", x=POINTS, features=POINTS)
    assert np.array_equal(read(tmp_path / "usual.npz").array(), POINTS)
    assert np.array_equal(read(tmp_path / "odd.npz").array("two"), 2 * POINTS)
    for name in ("odd.npz", "both.npz"):
        with pytest.raises(RequestError, match="holds several arrays; say which has the points: key=NAME of"):
            read(tmp_path / name).array()
    with pytest.raises(UnknownNameError, match=r"unknown array of odd.npz 'x'; there are: one, two"):
        read(tmp_path / "odd.npz").array("x")


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_tables_are_the_same_in_every_format(frame: pd.DataFrame, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"table.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    found = read(path)
    assert found.table and list(found.arrays) == ["a", "b", "who"]
    assert found.column("who").tolist() == ["x", "y", "x"]
    numbers = found.numbers((), ("who",))
    assert numbers.dtype == np.float32 and numbers.tolist() == [[1.0, 0.5], [2.0, -1.5], [3.0, 2.25]]
    assert found.numbers(("b", "a"), ()).tolist() == [[0.5, 1.0], [-1.5, 2.0], [2.25, 3.0]]


def test_columns_that_are_no_numbers_absent_or_all_left_out_are_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    found = read(path)
    with pytest.raises(DataError, match=r"column 'who' holds no numbers; .* or labels=who"):
        found.numbers((), ())
    with pytest.raises(UnknownNameError, match=r"unknown column of table.csv 'c'; there are: a, b, who"):
        found.numbers(("c",), ())
    with pytest.raises(DataError, match="has no column of numbers"):
        found.numbers(("a",), ("a",))


def test_a_file_of_labels_holds_one_column(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame[["a"]].to_csv(tmp_path / "labels.csv", index=False)
    frame.to_csv(tmp_path / "several.csv", index=False)
    assert read_column(tmp_path / "labels.csv").tolist() == [1, 2, 3]
    with pytest.raises(RequestError, match="holds a, b, who; allowed: a file with one of them alone"):
        read_column(tmp_path / "several.csv")


def test_files_that_are_absent_damaged_or_of_another_kind_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "damaged.npy").write_bytes(b"no array")
    np.savez(tmp_path / "whole.npz", x=np.ones((30, 4)))
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "flipped.npz").write_bytes(whole[:200] + b"~~~~" + whole[204:])
    (tmp_path / "damaged.parquet").write_bytes(b"no table")
    for name, said in (
        ("absent.npy", "there is no file"),
        ("notes.txt", "files of points end in .npy"),
        ("damaged.npy", "cannot be read"),
        ("damaged.parquet", "cannot be read"),
        ("cut.npz", "cannot be read"),
        ("flipped.npz", "cannot be read"),
    ):
        with pytest.raises(DataError, match=said) as caught:
            read(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
