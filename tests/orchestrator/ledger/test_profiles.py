"""What probes measured is kept by program; what is damaged or a stranger's is not known."""

import json

from orchestrator.ledger import profiles


def test_a_profile_is_read_back_under_its_key_and_under_no_other(tmp_path):
    profiles.write_profile(tmp_path, "program", {"members": 4}, {"measured_at": "today"})
    assert profiles.read_profile(tmp_path, "program")["members"] == 4
    assert profiles.read_profile(tmp_path, "another") == {}


def test_of_several_bundles_that_memory_ran_out_for_the_smallest_is_kept(tmp_path):
    assert profiles.read_memory(tmp_path, "program") == 0
    for members in (8, 4, 6):
        profiles.remember_memory(tmp_path, "program", members, {})
    assert profiles.read_memory(tmp_path, "program") == 4


def test_limits_that_are_no_sizes_are_left_out(tmp_path):
    profiles.write_limits(tmp_path, "study", {"fits": 3, "none": 0, "endless": 2**41})
    assert profiles.read_limits(tmp_path, "study") == {"fits": 3}


def test_a_damaged_file_means_that_nothing_is_known(tmp_path):
    profiles.write_profile(tmp_path, "program", {"members": 4}, {})
    (path,) = (tmp_path / "profiles").glob("*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "key": "of another"}))
    assert profiles.read_profile(tmp_path, "program") == {}
    path.write_text("{")
    assert profiles.read_profile(tmp_path, "program") == {}
