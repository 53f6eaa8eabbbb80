"""The RayJob: of the form that KubeRay takes, its values in one place, its command one that exists.

Against the whole CRD of KubeRay v1.7.0 (Apache-2.0, 1.4 MB):

    curl -O https://raw.githubusercontent.com/ray-project/kuberay/v1.7.0/ray-operator/config/crd/bases/ray.io_rayjobs.yaml
    KUBERAY_CRD=ray.io_rayjobs.yaml pytest tests/orchestrator/deploy/test_rayjob.py
"""

import copy
import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import orchestrator

FILE = Path(orchestrator.__file__).parent / "deploy" / "rayjob.yaml"
SCHEMA = yaml.safe_load(Path(__file__).with_name("rayjob_schema.yaml").read_text())


@pytest.fixture
def job():
    return yaml.safe_load(FILE.read_text())


@pytest.fixture(scope="module")
def crd():
    """KubeRay's own schema, with fields that it does not name refused, as `kubectl apply` refuses them."""
    if "KUBERAY_CRD" not in os.environ:
        pytest.skip("KUBERAY_CRD names no file")
    versions = yaml.safe_load(Path(os.environ["KUBERAY_CRD"]).read_text())["spec"]["versions"]
    (found,) = (version for version in versions if version["name"] == "v1")
    schema = _strict(found["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}  # checked by Kubernetes itself
    return schema


def _strict(part):
    if isinstance(part, list):
        return [_strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    closed = part.get("type") == "object" and "properties" in part and "additionalProperties" not in part
    return {name: _strict(value) for name, value in part.items()} | ({"additionalProperties": False} if closed else {})


def _resolved(part):
    """Return our schema with its definitions in place."""
    if isinstance(part, list):
        return [_resolved(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _resolved(SCHEMA["$defs"][part["$ref"].rpartition("/")[2]])
    return {name: _resolved(value) for name, value in part.items()}


def test_the_job_has_the_form_that_kuberay_takes(job):
    jsonschema.validate(job, SCHEMA)


@pytest.mark.parametrize("place", ["spec", "spec.rayClusterSpec", "spec.rayClusterSpec.headGroupSpec"])
def test_a_misspelt_field_is_found(job, place):
    part = job
    for name in place.split("."):
        part = part[name]
    part["rayVerson"] = "2.60.0"
    with pytest.raises(jsonschema.ValidationError, match="rayVerson"):
        jsonschema.validate(job, SCHEMA)


def test_the_job_holds_against_kuberays_own_schema(job, crd):
    jsonschema.validate(job, crd)
    job["spec"]["rayClusterSpec"]["rayVerson"] = "2.60.0"
    with pytest.raises(jsonschema.ValidationError, match="rayVerson"):
        jsonschema.validate(job, crd)


def test_our_schema_says_of_each_field_what_kuberays_says(crd):
    def compare(mine, theirs, place):
        if "type" in mine and "type" in theirs:
            assert mine["type"] == theirs["type"], place
        if "additionalProperties" in mine and mine["additionalProperties"] is False:
            assert set(mine.get("required", [])) == set(theirs.get("required", [])), place
        for name, part in mine.get("properties", {}).items():
            compare(part, theirs["properties"][name], f"{place}.{name}")
        if "items" in mine:
            compare(mine["items"], theirs["items"], f"{place}[]")

    compare(_resolved(SCHEMA["properties"]["spec"]), crd["properties"]["spec"], "spec")


def test_every_value_stands_once_in_the_annotations_and_is_used(job):
    text = FILE.read_text()
    values = job["metadata"]["annotations"]
    assert set(values) == {
        f"orchestrate/{n}" for n in ("run", "image", "claim", "token-secret", "card", "cards-per-worker")
    }
    for value in values.values():
        assert (
            len(re.findall(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text.partition("spec:")[0].replace('"', " ")))
            >= 1
        )
        assert re.escape(value) not in text.partition("\nspec:")[2] or value == "1", "the rest refers to it"
        rest = copy.deepcopy(job)
        del rest["metadata"]
        assert value in _leaves(rest)


def _leaves(part):
    if isinstance(part, dict):
        return [leaf for value in part.values() for leaf in _leaves(value)]
    if isinstance(part, list):
        return [leaf for value in part for leaf in _leaves(value)]
    return [part]


def test_the_head_trains_nothing_and_all_pods_have_image_claim_and_equal_requests_and_limits(job):
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    (workers,) = cluster["workerGroupSpecs"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    for group in (cluster["headGroupSpec"], workers):
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        assert [mount["name"] for mount in container["volumeMounts"]] == [volume["name"] for volume in pod["volumes"]]
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_the_job_names_one_version_of_ray_that_the_project_takes(job):
    version = job["spec"]["rayClusterSpec"]["rayVersion"]
    assert f"ray[default]=={version}" in FILE.read_text()
    assert Version(version) in Requirement("ray>=2.60,<3").specifier
