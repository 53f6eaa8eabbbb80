"""Nothing but plain files in plain folders is opened, and JSON is believed within bounds only."""

import os

import pytest

from orchestrator.errors import LedgerError
from orchestrator.ledger import plain_files


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    with pytest.raises(LedgerError, match="no name of a file"):
        plain_files.inside(tmp_path, "trials", name)


def test_no_link_is_gone_through_and_none_is_read(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "to_file").symlink_to(tmp_path / "real" / "file")
    with pytest.raises(LedgerError, match="which is not followed"):
        plain_files.inside(tmp_path, "link", "file")
    with pytest.raises(OSError, match="which is not followed"):
        plain_files.read(tmp_path / "to_file")
    assert plain_files.read(tmp_path / "real" / "file") == b"secret"
    assert [path.name for path in plain_files.folders(tmp_path)] == ["real"]


def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert plain_files.kind_of(tmp_path / "pipe") == "a pipe or device"
    with pytest.raises(OSError, match="is no plain file"):
        plain_files.read(tmp_path / "pipe")
    with pytest.raises(LedgerError, match="is a pipe or device"):
        plain_files.require_plain(tmp_path)


def test_a_file_is_read_up_to_a_size(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert plain_files.read(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match="has 5 bytes; at most 4 are read"):
        plain_files.read(tmp_path / "file", 4)


@pytest.mark.parametrize("text", ["1e999", "NaN", "-Infinity", "[" * 100_000, "{"])
def test_json_that_is_none_or_without_bounds_is_a_value_error(text):
    with pytest.raises(ValueError):
        plain_files.parsed(text.encode())


def test_nan_is_a_number_where_it_may_be():
    assert plain_files.parsed(b"[NaN, 1.5]", nan=True)[1] == 1.5


def test_what_a_terminal_would_obey_is_shown_as_a_question_mark():
    assert plain_files.one_line("a\x1b[2J\nb") == "a?[2J b"


def test_a_planted_link_in_the_way_of_a_new_file_goes_and_its_target_stays(tmp_path):
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / "new").symlink_to(tmp_path / "target")
    os.close(plain_files.create(tmp_path / "new"))
    assert not (tmp_path / "new").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"kept"
