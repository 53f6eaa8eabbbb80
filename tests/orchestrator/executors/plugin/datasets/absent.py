"""A dataset that cannot be had."""

from orchestrator.errors import DataError


def load():
    raise DataError("dataset absent: no file")
