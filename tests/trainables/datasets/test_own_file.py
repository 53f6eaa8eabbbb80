"""A user's own files as datasets: what is read from each form, what -1 means, what is refused by name."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from orchestrator import discovery
from orchestrator.dataset_name import named
from orchestrator.errors import DataError, OrchestratorError, RequestError
from trainables.scoring import score

POINTS = load_digits().data.astype(np.float32) / 16
CLASSES = load_digits().target


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(reference, protocol="whole"):
    return discovery.load_dataset(named(reference), protocol)


def test_every_form_of_the_same_numbers_is_the_same_points_and_labels():
    np.save("a.npy", POINTS)
    np.save("y.npy", CLASSES)
    np.savez("b.npz", x=POINTS.astype(np.float64), y=CLASSES)
    frame = pd.DataFrame(POINTS, columns=[f"p{i}" for i in range(64)]).assign(digit=[f"is{c}" for c in CLASSES])
    frame.to_parquet("c.parquet")
    frame.to_csv("d.csv", index=False)
    first = loaded("a.npy:labels=y.npy")
    for reference in ("b.npz:key=x,labels=y", "c.parquet:labels=digit", "d.csv:labels=digit"):
        other = loaded(reference)
        assert torch.equal(other.labels, first.labels) and other.n_classes == 10
        assert other.inputs.dtype == torch.float32 and torch.allclose(other.inputs, first.inputs, atol=1e-7)


def test_a_large_file_of_float32_is_mapped_and_not_copied(folder):
    np.save("a.npy", POINTS)
    inputs = loaded("a.npy:clusters=10,name=mapped").inputs
    with open("/proc/self/maps") as maps:
        inside = [line for line in maps if str(folder / "a.npy") in line]
    ranges = [tuple(int(end, 16) for end in line.split()[0].split("-")) for line in inside]
    assert any(low <= inputs.data_ptr() < high for low, high in ranges)


def test_a_file_that_is_written_anew_is_loaded_anew_in_the_same_process():
    np.save("a.npy", POINTS)
    first = loaded("a.npy:clusters=10")
    assert loaded("a.npy:clusters=10") is first
    np.save("b.npy", POINTS[:300])
    os.replace("b.npy", "a.npy")
    assert len(loaded("a.npy:clusters=10")) == 300
    np.save("y.npy", CLASSES[:300])
    before = loaded("a.npy:labels=y.npy").digest
    np.save("y.npy", CLASSES[:300][::-1].copy())
    assert loaded("a.npy:labels=y.npy").digest != before


def test_points_without_labels_have_no_external_score_and_the_stated_number_of_clusters():
    np.save("a.npy", POINTS)
    data = loaded("a.npy:clusters=7")
    assert (data.n_labelled, data.n_clusters, data.n_classes) == (0, 7, 7)
    (row,) = score(torch.arange(len(data))[None] % 7, data, 7, True)
    assert not {"metric.acc", "metric.nmi", "metric.ari", "metric.ami"} & set(row)
    assert {"metric.neighbour_mi", "metric.silhouette", "metric.collapsed"} <= set(row)
    with pytest.raises(RequestError, match=r"a\.npy:clusters=10"):
        loaded("a.npy")


def test_minus_one_means_that_nobody_knows_and_scores_are_of_the_other_points():
    np.save("a.npy", POINTS)
    some = CLASSES.copy()
    some[500:] = -1
    np.save("some.npy", some)
    np.save("all.npy", CLASSES)
    partial, whole = loaded("a.npy:labels=some.npy"), loaded("a.npy:labels=all.npy")
    partition = torch.from_numpy(np.random.default_rng(0).integers(10, size=len(POINTS)))[None]
    (row,), (full,) = score(partition, partial, 10, True), score(partition, whole, 10, True)
    assert partial.n_labelled == 500
    known = discovery.load_dataset(named("a.npy:labels=all.npy"), "whole")
    (oracle,) = score(partition[:, :500], type(known)("first", known.inputs[:500], known.labels[:500], 10), 10, True)
    for name in ("acc", "nmi", "ari", "ami"):
        assert row[f"metric.{name}"] == oracle[f"metric.{name}"] != full[f"metric.{name}"]
    for name in ("neighbour_mi", "silhouette", "max_share", "effective_clusters", "collapsed"):
        assert row[f"metric.{name}"] == full[f"metric.{name}"]


def test_text_labels_are_classes_in_the_order_of_their_names_and_absent_ones_unknown():
    pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "kind": ["fox", None, "ant", "fox"]}).to_csv("t.csv", index=False)
    assert loaded("t.csv:labels=kind").labels.tolist() == [1, -1, 0, 1]


def test_columns_choose_the_numbers_of_a_table_and_scale_changes_them():
    pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.0, 0.0, 9.0], "note": ["x", "y", "z"]}).to_csv("t.csv", index=False)
    assert loaded("t.csv:columns=b+a,clusters=2").inputs.tolist() == [[0, 1], [0, 2], [9, 3]]
    standard = loaded("t.csv:columns=a+b,clusters=2,scale=standard").inputs
    assert standard.mean(0).abs().max() < 1e-6 and torch.allclose(standard.std(0), torch.ones(2))
    with pytest.raises(DataError, match="column 'note' holds no numbers"):
        loaded("t.csv:clusters=2")


def test_windows_never_mix_two_people_or_two_labels_and_people_are_held_out():
    time = np.arange(60)
    frame = pd.DataFrame({"x": time, "y": -time, "who": np.repeat(["ann", "bob"], 30), "act": (time // 20) % 2})
    frame.to_csv("walk.csv", index=False)
    data = loaded("walk.csv:labels=act,groups=who,window=5,step=5,test=bob", "split")
    assert data.inputs.shape[1:] == (1, 5, 2)
    fitted = pd.DataFrame({"who": frame["who"], "act": frame["act"]}).drop_duplicates()
    assert len(fitted) == 4  # ann 0, ann 1, bob 1, bob 0: stretches of 20, 10, 10 and 20 samples
    assert (len(data.inputs), len(data.test_inputs)) == (6, 6)
    assert data.labels.tolist() == [0] * 4 + [1] * 2 and data.test_labels.tolist() == [1] * 2 + [0] * 4
    features = loaded("walk.csv:labels=act,groups=who,window=5,step=5,form=features")
    assert features.inputs.shape == (12, 32)


def test_images_lie_flat_without_labels_or_in_folders_of_their_classes(folder):
    random = np.random.default_rng(0)
    for place in ("flat", "deep/ant", "deep/fox"):
        (folder / place).mkdir(parents=True)
        for number in range(3):
            pixels = random.integers(0, 255, (9, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / place / f"{number}.png")
    flat, deep = loaded("flat/:side=8,clusters=2"), loaded("deep/:side=8")
    assert flat.n_labelled == 0 and flat.inputs.shape == (3, 3, 8, 8)
    assert deep.labels.tolist() == [0, 0, 0, 1, 1, 1] and deep.n_classes == 2


def test_an_image_of_sixteen_bits_keeps_its_shades_and_a_damaged_or_float_one_is_named(folder):
    ramp = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    (folder / "deep16").mkdir()
    for number in range(2):
        Image.fromarray(ramp).save(folder / "deep16" / f"{number}.png")
    data = loaded("deep16/:side=8,clusters=2")
    shades = (data.inputs + data.offset)[0, 0].flatten()
    assert len(shades.unique()) == 64 and (shades.diff() > 0).all()
    (folder / "cut").mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)).save(folder / "cut" / "a.png")
    (folder / "cut" / "a.png").write_bytes((folder / "cut" / "a.png").read_bytes()[:900])
    with pytest.raises(DataError, match=r"cut/a\.png"):
        loaded("cut/:side=8,clusters=2")


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("no.npy:clusters=3", "there is no file"),
        ("bad.npy:clusters=3", r"bad\.npy' cannot be read"),
        ("flat.npy:clusters=3", r"allowed: numbers \(points, \.\.\.\)"),
        ("nan.npy:clusters=3", "NaN or infinite"),
        ("ok.npy:labels=short.npy", "one for each of the 4 points"),
        ("ok.npy:clusters=3,colour=red", "unknown option 'colour'; there are: .*window.*features"),
        ("walk.csv:windo=100", "unknown option .windo."),  # not that its column of labels holds no numbers
        ("ok.npy:clusters=3,scale=big", "allowed: none, centred, standard, unit"),
        ("ok.npy:clusters=1", "allowed: at least 2"),
        ("ok.npy:clusters=²", "allowed: a whole number"),
        ("ok.npy:clusters=١", "allowed: a whole number"),
        (f"ok.npy:clusters={'9' * 300}", "allowed: a whole number"),
        ("ok.npy:clusters=3,test=bob", "say groups="),
        ("two.npz:clusters=3", "say which has the points: key=NAME of a, b"),
        ("two.npz:clusters=3,key=c", "unknown array of two.npz 'c'"),
    ],
)
def test_what_cannot_be_read_or_asked_is_one_line(folder, reference, says):
    np.save("ok.npy", np.ones((4, 2), dtype=np.float32))
    np.save("short.npy", np.zeros(3))
    np.save("flat.npy", np.zeros(3))
    np.save("nan.npy", np.full((4, 2), np.nan, dtype=np.float32))
    np.savez("two.npz", a=np.ones((4, 2)), b=np.ones((4, 2)))
    (folder / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00 what is this")
    with pytest.raises(OrchestratorError, match=says) as raised:
        loaded(reference)
    assert "\n" not in str(raised.value)
