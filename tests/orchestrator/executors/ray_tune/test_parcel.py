"""What travels between the driver and its workers."""

import copy
import pickle

from orchestrator.executors.ray_tune.parcel import Content, Parcel
from orchestrator.trial import BundleTask


def test_a_parcel_is_copied_by_reference_and_empty_once_unpacked(bundles):
    task = BundleTask(bundle=bundles(1)[0], device="cuda")
    parcel = Parcel(7, Content(task, "data"))
    assert parcel.device == "cuda"
    assert copy.deepcopy({"parcel": parcel})["parcel"] is parcel
    assert parcel.unpack() == Content(task, "data")
    assert parcel.unpack() == Content()
    assert len(pickle.dumps(parcel)) < 300
