"""What travels of a user's own code, and that it can be imported where it arrives."""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import RequestError
from orchestrator.executors import user_code
from orchestrator.executors.user_code import packed, unpacked, user_packages


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A plugin folder that imports a package and a module of the user's own, which lie on the search path."""
    home = tmp_path / "lab"
    for name, text in {
        "plugin/methods/one.py": "import torch\nfrom mylab.heads import SCALE\nimport json, orchestrator\n",
        "plugin/methods/.hidden.py": "import never_looked_for",
        "plugin/methods/settings.json": "{}",
        "packages/mylab/__init__.py": "",
        "packages/mylab/heads.py": "import alone\nfrom . import beside\nSCALE = alone.SCALE\n",
        "packages/mylab/beside.py": "",
        "packages/mylab/__pycache__/x.pyc": "compiled",
        "packages/alone.py": "SCALE = 3\n",
        "packages/unused.py": "",
    }.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (home / "plugin" / "weights.bin").write_bytes(bytes(user_code.LARGEST_FILE + 1))
    monkeypatch.syspath_prepend(home / "packages")
    return home


def test_packages_that_no_installation_brings_are_found_through_imports(lab):
    assert [path.name for path in user_packages([lab / "plugin"])] == ["alone.py", "mylab"]


def test_what_arrives_can_be_imported_in_a_process_that_has_nothing_else(lab, tmp_path):
    shipment = packed([str(lab / "plugin")])
    (tmp_path / "shipment").write_bytes(shipment.content)
    code = (
        "import sys; from pathlib import Path\n"
        "from orchestrator.executors.user_code import Shipment, unpacked\n"
        f"content = Path({str(tmp_path / 'shipment')!r}).read_bytes()\n"
        f"(plugin,) = unpacked(Shipment('ab', content), Path({str(tmp_path / 'there')!r}))\n"
        "sys.path.insert(0, plugin + '/methods'); import one; print(one.SCALE, plugin)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    scale, plugin = done.stdout.split()
    assert scale == "3"
    assert (
        sorted(path.name for path in Path(plugin).rglob("*"))
        == ["__pycache__", "methods", "one.py", "settings.json"][1 - (Path(plugin) / "methods/__pycache__").exists() :]
    )


def test_the_digest_follows_the_content_and_nothing_else(lab, tmp_path):
    first = packed([str(lab / "plugin")])
    (lab / "plugin").rename(tmp_path / "moved")
    assert packed([str(tmp_path / "moved")]) == first
    (lab / "packages" / "alone.py").write_text("SCALE = 4\n")
    assert packed([str(tmp_path / "moved")]).digest != first.digest


def test_several_plugins_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    folders = [tmp_path / f"plugin{number}" for number in range(12)]
    for number, folder in enumerate(folders):
        (folder / "methods").mkdir(parents=True)
        (folder / "methods" / f"m{number}.py").touch()
    there = unpacked(packed([str(folder) for folder in folders]), tmp_path / "there")
    assert [next(Path(place).rglob("*.py")).name for place in there] == [f"m{number}.py" for number in range(12)]


def test_an_empty_plugin_folder_arrives_as_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "plugin").mkdir()
    (place,) = unpacked(packed([str(tmp_path / "plugin")]), tmp_path / "there")
    assert Path(place).is_dir()


def test_a_file_that_does_not_parse_travels_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "broken.py").write_text("def (")
    (place,) = unpacked(packed([str(tmp_path / "plugin")]), tmp_path / "there")
    assert (Path(place) / "broken.py").read_text() == "def ("


def test_a_folder_that_is_no_plugin_but_a_disk_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(user_code, "LARGEST_SHIPMENT", 10)
    (tmp_path / "a.py").write_text("x = 1 # longer than ten bytes")
    with pytest.raises(RequestError, match=r"plugins '.*' and what they import have 0 MiB of files"):
        packed([str(tmp_path)])
