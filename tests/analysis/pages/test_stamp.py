"""A page counts as current if this user's program made it of the same facts, and not otherwise."""

import json
import os

import pytest

from analysis.pages import stamp

FACTS = {"content": "a1", "code": "b2"}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A page with its stamp, and a data folder of the test's own."""
    monkeypatch.setattr(stamp.discovery, "data_folder", lambda: tmp_path / "data")
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "report.html").write_text("ours")
    stamp.write(folder / "report.json", FACTS, [folder / "report.html"])
    return folder


def current(folder, facts=FACTS):
    return stamp.is_current(folder / "report.json", facts, ["report.html"])


def test_a_page_of_ours_counts_until_its_facts_change(made):
    assert current(made)
    assert not current(made, {**FACTS, "content": "a2"})
    assert not stamp.is_current(made / "report.json", FACTS, ["report.html", "notebook.ipynb"])


def test_a_page_that_was_changed_or_planted_does_not_count(made):
    (made / "report.html").write_text("<script>planted</script>")
    assert not current(made)
    content = json.loads((made / "report.json").read_text())
    content["files"]["report.html"] = stamp._digest(made / "report.html")
    (made / "report.json").write_text(json.dumps(content))
    assert not current(made)


@pytest.mark.parametrize("text", ["null", "[]", "{}", "[" * 5_000, '{"signature": 1, "files": 2}', "\x00", '"x"'])
def test_whatever_else_stands_in_a_stamp_is_no_stamp(made, text):
    (made / "report.json").write_text(text)
    assert not current(made)


def test_the_key_is_readable_by_its_owner_only_and_one_that_is_not_is_not_used(made, tmp_path):
    key = tmp_path / "data" / "reports.key"
    assert os.stat(key).st_mode & 0o777 == 0o600
    key.chmod(0o644)
    assert not current(made)


def test_a_page_of_another_user_does_not_count(made, tmp_path):
    (tmp_path / "data" / "reports.key").unlink()
    assert not current(made)
    stamp.write(made / "report.json", FACTS, [made / "report.html"])
    assert current(made)
