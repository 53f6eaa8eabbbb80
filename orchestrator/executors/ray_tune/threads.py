"""Lets the thread of Ray Tune call into the thread of `run`, so that a source hears one thread only."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Relay", "within"]

Answer = TypeVar("Answer")
TICK_SECONDS = 0.1


class Relay:
    """Calls are made in the serving thread while there is one, else where they are; never two at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._serving = False
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]] = queue.SimpleQueue()

    def call(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        """Return what the function returns, or raise what it raises."""
        with self._lock:
            if not self._serving:
                return function(*arguments)
            reply: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
            self._calls.put((lambda: function(*arguments), reply))
        raised, answer = reply.get()
        if raised:
            raise answer
        return answer  # type: ignore[no-any-return]

    def serve(
        self,
        until: Callable[[], bool],
        tick: Callable[[], None],
        ending: Callable[[], None],
        idle: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the calls of the other thread here, until `until()`; `tick` runs between, `ending` before the last ones.

        Waiting is by short time-outs, so that this thread hears signals; `idle` runs before it waits.
        """
        with self._lock:
            self._serving = True
        try:
            while not until():
                tick()
                if self._calls.empty():
                    idle()
                try:
                    _answer(*self._calls.get(timeout=TICK_SECONDS))
                except queue.Empty:
                    continue
        finally:
            with self._lock:
                self._serving = False
                ending()
                while not self._calls.empty():
                    _answer(*self._calls.get())


def _answer(call: Callable[[], Any], reply: queue.SimpleQueue[tuple[bool, Any]]) -> None:
    try:
        reply.put((False, call()))
    except Exception as error:  # raised in the thread that called
        reply.put((True, error))


def within(seconds: float, function: Callable[[], Answer]) -> Answer:
    """Return what the function returns, or raise what it raises; it goes on in its thread if it takes too long.

    Raises:
        TimeoutError: it takes longer than so many seconds.
    """
    replies: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
    threading.Thread(target=_answer, args=(function, replies), daemon=True).start()
    try:
        raised, answer = replies.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if raised:
        raise answer
    return answer  # type: ignore[no-any-return]
