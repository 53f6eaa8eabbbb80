"""What tests of several folders share: one Ray for the whole session, and a source of bundles that keeps a record."""

import contextlib
import gc
import hashlib
import os
import pickle
import secrets
import tempfile
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from orchestrator.machine import collection
from orchestrator.trial import Bundle, BundleTask, TrialSpec

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch comes: the bits of a trial are those of one thread

os.environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})
"""As the command sets it. Tests import Ray before it starts: it would have read by then that there is no token."""

os.environ["XDG_CACHE_HOME"] = str(Path(tempfile.gettempdir(), f"orchestrate-tests-{os.getuid()}"))
"""Facts are kept by the digest of what they follow from: those of an earlier session are as good as new ones."""

collection.seldom()

PLUGIN = str(Path(__file__).parent / "orchestrator" / "executors" / "plugin")


def pytest_collection_finish():
    """Have Python look no more through what was imported: it would, hundreds of times (measured: a tenth of all)."""
    gc.collect()
    gc.freeze()


class ScriptedSource:
    """Hands out bundles round by round (a round begins when the one before is closed) and remembers what it hears."""

    def __init__(self, *rounds, **task):
        self.rounds, self.task = deque(deque(bundles) for bundles in rounds), {"plugins": (PLUGIN,), **task}
        self.open, self.reports, self.events, self.logs = {}, [], [], []
        self.stopping = False
        self.decisions = {}
        self.on_report = lambda bundle, report: None

    def next_task(self):
        if not self.rounds or self.stopping:
            return None
        if not self.rounds[0] and not self.open:
            self.rounds.popleft()
        if not self.rounds or not self.rounds[0]:
            return None
        bundle = self.rounds[0].popleft()
        assert bundle.bundle_id not in self.open
        self.open[bundle.bundle_id] = bundle
        return BundleTask(bundle=bundle, **self.task)

    @property
    def finished(self):
        return self.stopping or (not self.open and not any(self.rounds))

    def report(self, bundle, report):
        assert bundle.bundle_id in self.open, "a report of a bundle that is closed"
        self.reports.append((bundle, report))
        if report.finished:
            self._close(bundle, "finished")
        self.on_report(bundle, report)

    def prepare(self):
        pass

    def decide(self, bundle):
        return self.decisions.get(len([b for b, _ in self.reports if b == bundle]), ())

    def lost(self, bundle, kind, error, log=""):
        self.logs.append(log)
        self._close(bundle, ("lost", kind, error))

    def interrupted(self, bundle):
        self._close(bundle, "interrupted")

    def _close(self, bundle, event):
        del self.open[bundle.bundle_id]
        self.events.append((bundle, event))

    def how(self, event):
        return [bundle for bundle, said in self.events if said == event]

    @property
    def outcomes(self):
        return [outcome for _, report in self.reports for outcome in report.outcomes]

    @property
    def rows(self):
        """All rows as dictionaries, without what differs from one undisturbed run to the next."""
        import pyarrow as pa

        found = []
        for _, report in self.reports:
            if report.rows:
                found += pa.ipc.open_stream(report.rows).read_all().to_pylist()
        return found


def scripted_bundles(count, size=1, n_epochs=3, method="scripted", prunable=False, dataset="tiny", **config):
    """Return bundles of the scripted method; seeds number the trials."""
    return [
        Bundle(
            tuple(
                TrialSpec(
                    method=method,
                    method_version=1,
                    config={"nap": 0.0, "scale": 1.0, **config},
                    dataset=dataset,
                    dataset_digest="",
                    seed=index * size + member,
                    n_epochs=n_epochs,
                )
                for member in range(size)
            ),
            prunable=prunable,
        )
        for index in range(count)
    ]


RAY = ("test_executors.py", "test_lean.py", "test_ray_tune.py")
"""Files whose tests share the session's one Ray, so they run in one process."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep a file's tests in one process: they share what is dear to make.

    Marks of a group would say the same, but pytest 9.2 and pytest-xdist 3.8 together take no notice of them.
    """
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "ray" if file.endswith(RAY) else file

    return Files(config, log)


@pytest.fixture
def source_of():
    """The class of the recording source; its arguments are rounds of bundles."""
    return ScriptedSource


@pytest.fixture
def bundles():
    """A function that makes bundles of the scripted method."""
    return scripted_bundles


@pytest.fixture(scope="session")
def ray_executor(tmp_path_factory):
    """The session's one Ray, with two workers; started in a folder whose packages must never be imported."""
    from orchestrator.executors.ray_tune import RayTuneExecutor

    poisoned = tmp_path_factory.mktemp("poisoned")
    for package in ("orchestrator", "trainables", "studies", "analysis", "torch", "ray"):
        (poisoned / package).mkdir()
        (poisoned / package / "__init__.py").write_text("raise RuntimeError('imported from the current directory')")
    executor = RayTuneExecutor(max_concurrent=2)
    with contextlib.chdir(poisoned):
        executor.start()
        executor.wait()
    yield executor
    executor.close()
    assert not [name for name in os.listdir("/tmp") if name.startswith(f"orchestrate-ray-{os.getpid()}-")]


@pytest.fixture(scope="session")
def image_set_files(tmp_path_factory):
    """Write every image set that torchvision knows, tiny and in torchvision's own formats; return the data folder."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("image_sets")
    draws = np.random.default_rng(0)
    sizes = {"train": 40, "test": 20}
    labels = {part: np.arange(size, dtype=np.uint8) for part, size in sizes.items()}

    def written(place, content):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)

    def pixels(n, *shape):
        return draws.integers(0, 256, (n, *shape), dtype=np.uint8)

    for part, size in sizes.items():
        for name in ("MNIST", "FashionMNIST"):  # idx: magic number with the rank, sizes, bytes
            stem = f"{name}/raw/{'train' if part == 'train' else 't10k'}"
            written(
                f"{stem}-images-idx3-ubyte",
                np.array([0x803, size, 28, 28], ">i4").tobytes() + pixels(size, 28, 28).tobytes(),
            )
            written(
                f"{stem}-labels-idx1-ubyte", np.array([0x801, size], ">i4").tobytes() + (labels[part] % 10).tobytes()
            )
        rows, fine = pixels(100, 3 * 32 * 32), list(range(100))
        coarse = [label % 20 for label in fine]
        written(f"cifar-100-python/{part}", pickle.dumps({"data": rows, "fine_labels": fine, "coarse_labels": coarse}))
        written(f"stl10_binary/{part}_X.bin", pixels(size, 3, 96, 96).tobytes())
        written(f"stl10_binary/{part}_y.bin", (labels[part] % 10 + 1).tobytes())
        for place in range(6):
            (folder / f"image_folder/{part}/class{place % 2}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels(1, 20 + place, 24, 3)[0]).save(
                folder / f"image_folder/{part}/class{place % 2}/{place}.png"
            )
    for number in range(1, 7):
        name = f"data_batch_{number}" if number < 6 else "test_batch"
        content = {"data": pixels(10, 3 * 32 * 32), "labels": list(range(10))}
        written(f"cifar-10-batches-py/{name}", pickle.dumps(content))
    written("cifar-10-batches-py/batches.meta", pickle.dumps({"label_names": list("abcdefghij")}))
    written("cifar-100-python/meta", pickle.dumps({"fine_label_names": [f"class{place}" for place in range(100)]}))
    written("packages/seglearn/__init__.py", b"raise ImportError('only its data are read')")
    (folder / "packages/seglearn/data").mkdir(parents=True)
    people = {"X": list(draws.normal(size=(70, 200, 6))), "y": np.arange(70) % 7, "subject": np.arange(70) // 7 + 1}
    np.save(folder / "packages/seglearn/data/watch_dataset.npy", people, allow_pickle=True)
    written("stl10_binary/unlabeled_X.bin", pixels(3, 3, 96, 96).tobytes())
    _write_image_trees(folder, pixels)
    return folder


def _write_image_trees(folder, pixels):
    """Tiny-ImageNet of two classes, and ImageNet's folders for both of its subsets, a few images each."""
    from PIL import Image

    from trainables.datasets import imagenet10, imagenet_dogs

    def picture(place, side):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(1, side, side + 3, 3)[0]).save(folder / place)

    tiny, lines = "tiny-imagenet-200", []
    for number in range(6):
        name = f"n{number % 2:08d}"
        picture(f"{tiny}/train/{name}/images/{name}_{number}.JPEG", 64)
        picture(f"{tiny}/val/images/val_{number}.JPEG", 64)
        lines.append(f"val_{number}.JPEG\t{name}\t0\t0\t63\t63\n")
    (folder / tiny / "val/val_annotations.txt").write_text("".join(lines))
    for name in {*imagenet10.SET.classes, *imagenet_dogs.SET.classes}:
        for number in range(2):
            picture(f"imagenet/train/{name}/{name}_{number}.JPEG", 100 + number)


@pytest.fixture
def image_sets(image_set_files, monkeypatch):
    """Have torchvision's classes know the tiny files by their digests, as they know the real ones."""
    from torchvision import datasets

    from trainables.data import data_folder, image_sets

    for kind in (datasets.CIFAR10, datasets.CIFAR100, datasets.STL10):
        for name in ("train_list", "test_list"):
            files = [file for file, _ in getattr(kind, name)]
            known = [[file, _md5(image_set_files / kind.base_folder / file)] for file in files]
            monkeypatch.setattr(kind, name, known)
        if hasattr(kind, "meta"):
            place = image_set_files / kind.base_folder / kind.meta["filename"]
            monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": _md5(place)})
    monkeypatch.setenv(data_folder.VARIABLE, str(image_set_files))
    monkeypatch.setattr(image_sets, "PACKAGES", image_set_files / "packages")
    monkeypatch.syspath_prepend(image_set_files / "packages")
    return image_set_files


def _md5(place):
    return hashlib.md5(place.read_bytes()).hexdigest()
