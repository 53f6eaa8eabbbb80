"""Commands of a worker: each end is told, however soon it comes."""

from __future__ import annotations

from trainables.adapters.processes import Command, processes


def test_a_command_that_ends_at_once_is_told_to_have_ended(tmp_path):
    running = processes()
    for number in range(60):
        base = tmp_path / str(number)
        base.mkdir()
        asked = running.start(Command(words=["/bin/sh", "-c", "exit 3"], folder=tmp_path, environment={}, base=base))
        end = running.wait(asked, 20.0)
        assert end is not None and end.status == 3
