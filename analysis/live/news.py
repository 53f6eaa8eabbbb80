"""News of a results folder: one task looks again and again, and whoever listens is told what it found."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from analysis.live.snapshot import Follower

__all__ = ["News"]

ALIVE_SECONDS = 15.0
"""After so long without news, the stream says that it is still there."""
FAILED_TIMES = 10
"""After a look that failed, so many times as long as otherwise."""


class News:
    """The latest look at a folder, and waiting for the next one.

    Args:
        results: the folder.
        seconds: between two looks whether anything changed.
    """

    def __init__(self, results: Path, seconds: float) -> None:
        self._text, self._number = "", 0
        self._results, self._follower, self._seconds = results, Follower(results), seconds
        self._told: dict[str, Any] = {"studies": [], "devices": [], "run": None}
        self._newer = asyncio.Event()

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                found = await asyncio.to_thread(self._follower.look)
                if found is not None:
                    self._publish(found)
            except Exception as error:  # a look that failed is said, and does not end the looking
                said = f"this look failed: {type(error).__name__}: {error}"
                print(said, file=sys.stderr, flush=True)
                self._publish({**self._told, "error": said})
                self._follower = Follower(self._results)  # it begins again, which takes seconds of a large folder
                await asyncio.sleep(FAILED_TIMES * self._seconds)
            await asyncio.sleep(self._seconds)

    async def stream(self) -> AsyncIterator[str]:
        """Yield the news as server-sent events, the latest first; without news, a remark now and then."""
        number = 0
        while True:
            newer = self._newer
            if self._number > number:
                number = self._number
                yield f"data: {self._text}\n\n"
            else:
                yield ": nothing new\n\n"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(newer.wait(), ALIVE_SECONDS)

    def _publish(self, found: dict[str, Any]) -> None:
        """Have this told to all who wait; each piece of news has an event of its own, which nobody can miss."""
        text = json.dumps(found, allow_nan=False)  # a browser reads no nan
        self._text, self._number, self._told = text, self._number + 1, found
        newer, self._newer = self._newer, asyncio.Event()
        newer.set()
