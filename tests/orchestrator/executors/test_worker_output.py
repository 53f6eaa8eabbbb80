"""The end of what a process printed, in whole lines."""

import logging

from orchestrator.executors import worker_output
from orchestrator.executors.worker_output import recorded, tail


def test_the_end_of_a_long_file_begins_with_a_whole_line(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_output, "MOST_BYTES", 12)
    (tmp_path / "out").write_text("first line\nsecond\nthird\n")
    assert tail(str(tmp_path / "out")) == "third"


def test_what_was_there_before_the_mark_and_what_ray_writes_for_itself_is_left_out(tmp_path):
    (tmp_path / "out").write_text("before\n:actor_name:Trainable\n:job_id:01\nafter\n")
    assert tail(str(tmp_path / "out"), len("before\n")) == "after"


def test_records_of_the_block_are_kept_and_those_after_it_are_not():
    with recorded() as records:
        logging.getLogger("somewhere").warning("seen")
    logging.getLogger("somewhere").warning("too late")
    assert len(records) == 1
    assert "seen" in records[0]
