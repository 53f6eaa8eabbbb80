"""Image sets come out of torchvision's own files, or a package's; what is damaged or cannot be had is one line."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from orchestrator.errors import DataError, RequestError
from trainables.data import data_folder
from trainables.data import image_sets as sets_module
from trainables.data.image_sets import centred
from trainables.datasets import cifar10, cifar100, cifar100_20, fashion_mnist, image_folder, mnist, stl10

SETS = {"mnist": mnist, "fashion_mnist": fashion_mnist, "cifar10": cifar10, "cifar100_20": cifar100_20, "stl10": stl10}
SETS |= {"cifar100": cifar100}


@pytest.fixture(name="own_files")
def own_copy(image_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tiny files that a test may damage."""
    copy = tmp_path / "own"
    shutil.copytree(image_sets, copy)
    monkeypatch.setenv(data_folder.VARIABLE, str(copy))
    return copy


@pytest.mark.parametrize("name", SETS)
def test_pixels_and_labels_are_those_of_the_files(name: str, image_sets: Path) -> None:
    data = SETS[name].load()
    assert data.test_inputs is not None and data.test_labels is not None and data.offset is not None
    rows, labels, sides = _by_hand(name, image_sets)
    assert torch.equal(data.labels, torch.tensor(labels))
    pixels = ((data.inputs + data.offset) * 255).round()
    assert torch.equal(pixels, torch.tensor(rows.reshape(-1, *sides)).float())
    torch.testing.assert_close(data.inputs.mean(0), torch.zeros(sides), atol=1e-6, rtol=0)


def _by_hand(name: str, folder: Path) -> tuple[Any, list[int], tuple[int, int, int]]:
    """Train part of a set, read without torchvision."""
    if name in ("mnist", "fashion_mnist"):
        raw = folder / ("MNIST" if name == "mnist" else "FashionMNIST") / "raw"
        images = np.frombuffer((raw / "train-images-idx3-ubyte").read_bytes(), np.uint8)[16:]
        return images, list((raw / "train-labels-idx1-ubyte").read_bytes()[8:]), (1, 28, 28)
    if name == "stl10":
        images = np.frombuffer((folder / "stl10_binary/train_X.bin").read_bytes(), np.uint8)
        columns_first = images.reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)
        return (
            columns_first.copy(),
            [label - 1 for label in (folder / "stl10_binary/train_y.bin").read_bytes()],
            (3, 96, 96),
        )
    if name.startswith("cifar100"):
        content = pickle.loads((folder / "cifar-100-python/train").read_bytes())
        return content["data"], content["coarse_labels" if name == "cifar100_20" else "fine_labels"], (3, 32, 32)
    parts = [pickle.loads((folder / f"cifar-10-batches-py/data_batch_{n}").read_bytes()) for n in range(1, 6)]
    return np.concatenate([part["data"] for part in parts]), [x for part in parts for x in part["labels"]], (3, 32, 32)


@pytest.mark.parametrize("name", ["cifar10", "cifar100_20", "stl10"])
def test_a_file_with_another_digest_is_refused_in_one_line(name: str, own_files: Path) -> None:
    place = own_files / SETS[name].SET.files[0]
    place.write_bytes(place.read_bytes()[:-1] + b"!")
    with pytest.raises(DataError, match="not the known ones") as caught:
        SETS[name].load()
    assert "\n" not in str(caught.value) and f"python -m trainables.datasets.{name}" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\0\0\x08\x03", b"no idx file"])
def test_a_file_cut_short_is_refused_in_one_line(content: bytes, own_files: Path) -> None:
    (own_files / mnist.FILES[0]).write_bytes(content)
    with pytest.raises(DataError, match="not the known ones") as caught:
        mnist.load()
    assert "\n" not in str(caught.value)


def test_a_system_package_will_do_and_is_unpacked_for_the_moment_only(
    image_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_files = fashion_mnist.load().digest
    packages = tmp_path / "packages" / "fashion-mnist"
    packages.mkdir(parents=True)
    for file in fashion_mnist.SET.files:
        with gzip.open(packages / f"{Path(file).name}.gz", "wb") as packed:
            packed.write((image_sets / file).read_bytes())
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path / "data"))
    monkeypatch.setattr(sets_module, "PACKAGES", tmp_path / "packages")
    assert fashion_mnist.absent() == "" and fashion_mnist.load().digest == from_files
    assert not (tmp_path / "data").exists()


def test_what_is_there_is_not_fetched_again(image_sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mnist.SET.bring()
    assert str(image_sets) in capsys.readouterr().out


def test_a_download_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import MNIST

    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path))
    monkeypatch.setattr(MNIST, "mirrors", [tmp_path.as_uri() + "/nothing/"])
    with pytest.raises(SystemExit) as caught:
        mnist.SET.bring()
    assert "mnist cannot be had" in str(caught.value) and "\n" not in str(caught.value)


@pytest.fixture(name="served")
def served_folder(tmp_path: Path) -> Iterator[str]:
    """Address of a server of `tmp_path` on the loopback interface."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_download_lands_in_the_data_folder(
    image_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: str
) -> None:
    from torchvision.datasets import MNIST

    known = []
    for file in mnist.FILES:
        packed = tmp_path / f"{Path(file).name}.gz"
        packed.write_bytes(gzip.compress((image_sets / file).read_bytes()))
        known.append((packed.name, hashlib.md5(packed.read_bytes()).hexdigest()))
    expected = mnist.load().digest
    monkeypatch.setenv(data_folder.VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(MNIST, "mirrors", [served])
    monkeypatch.setattr(MNIST, "resources", known)
    assert mnist.absent()
    mnist.SET.bring()
    assert not mnist.absent() and mnist.load().digest == expected


def test_the_mean_image_is_that_of_the_train_part() -> None:
    train = (torch.full((2, 1, 1, 1), 51, dtype=torch.uint8), torch.tensor([0, 1]))
    test = (torch.full((1, 1, 1, 1), 255, dtype=torch.uint8), torch.tensor([1]))
    data = centred("two", 2, train, test)
    assert data.test_inputs is not None
    assert data.inputs.flatten().tolist() == [0.0, 0.0] and float(data.test_inputs) == pytest.approx(0.8)


def test_a_folder_without_parts_has_no_test_part_and_options_choose_it(image_sets: Path) -> None:
    data = image_folder.load("image_folder/train", side=16)
    assert (
        data.inputs.shape == (6, 3, 16, 16) and data.test_inputs is None and data.labels.tolist() == [0] * 3 + [1] * 3
    )


def test_image_folders_that_cannot_be_read_are_one_line(own_files: Path) -> None:
    (own_files / "empty").mkdir()
    (own_files / "image_folder/test/class1").rename(own_files / "image_folder/test/class2")
    broken = own_files / "broken" / "one"
    broken.mkdir(parents=True)
    (broken / "image.png").write_bytes(b"no image")
    for arguments, named in (
        ({"folder": "empty"}, "empty"),
        ({"folder": "broken"}, "image.png"),
        ({"folder": "image_folder"}, "class2"),
    ):
        with pytest.raises(DataError) as caught:
            image_folder.load(**arguments)
        assert named in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(RequestError, match="side = 0"):
        image_folder.load("image_folder/train", side=0)
