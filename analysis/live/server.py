"""The live page as a server on this machine: it answers GET alone, to whoever has the token, and writes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from analysis.live.snapshot import Follower
from analysis.pages import rendering
from orchestrator.errors import RequestError
from orchestrator.ledger.studies import study_names

__all__ = ["application", "serve"]

HOST = "127.0.0.1"
COOKIE = "orchestrate-token"
SECONDS = 1.0
"""Between two looks whether anything changed."""
ALIVE_SECONDS = 15.0
"""After so long without news, the stream says that it is still there."""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _News:
    """The latest look at the folder, and waiting for the next one."""

    def __init__(self, results: Path, seconds: float) -> None:
        self.text, self.number = "", 0
        self._results, self._follower, self._seconds = results, Follower(results), seconds
        self._changed = asyncio.Condition()

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                found = await asyncio.to_thread(self._follower.look)
            except Exception as error:  # a look that failed is said, and does not end the looking
                print(f"this look failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                self._follower, found = Follower(self._results), None
            if found is not None:
                async with self._changed:
                    self.text, self.number = json.dumps(found), self.number + 1
                    self._changed.notify_all()
            await asyncio.sleep(self._seconds)

    async def after(self, number: int) -> None:
        """Wait until there is something newer than `number`, or `ALIVE_SECONDS`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ALIVE_SECONDS), self._changed:
                await self._changed.wait_for(lambda: self.number > number)


def application(results: Path, token: str, seconds: float = SECONDS) -> Starlette:
    """Return the application.

    Args:
        results: the folder that is followed.
        token: what a request must bring, in its address the first time and as a cookie from then on.
        seconds: between two looks whether anything changed.
    """
    news = _News(results, seconds)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(news.follow())
        yield
        following.cancel()

    def page(request: Request) -> Response:
        text = rendering.render(
            "live.html",
            scripts=("scripts/live.js",),
            styles=("styles/live.css",),
            connect="'self'",
            folder=str(results),
        )
        answer = Response(text, media_type="text/html", headers=HEADERS)
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict")
        return answer

    def events(request: Request) -> Response:
        return StreamingResponse(_stream(news), media_type="text/event-stream", headers=HEADERS)

    def report(request: Request) -> Response:
        name = str(request.path_params["name"])
        path = results / "studies" / name / "report.html"
        if name not in study_names(results) or path.is_symlink() or not path.is_file():
            return PlainTextResponse("no such report", 404, headers=HEADERS)
        return FileResponse(path, media_type="text/html", headers=HEADERS)

    routes = [Route(path, _guarded(answer, token)) for path, answer in (("/", page), ("/events", events))]
    routes.append(Route("/report/{name}", _guarded(report, token)))
    return Starlette(routes=routes, lifespan=lifespan)


def _guarded(answer: Callable[[Request], Response], token: str) -> Callable[[Request], Any]:
    """Refuse whoever comes by another name of this machine (a page elsewhere that rebinds its own) or has no token."""

    async def guarded(request: Request) -> Response:
        brought = request.query_params.get("token") or request.cookies.get(COOKIE) or ""
        named = request.headers.get("host", "").rpartition(":")[0]
        if named not in (HOST, "localhost") or not secrets.compare_digest(brought.encode(), token.encode()):
            return PlainTextResponse("the address that `orchestrate serve` printed has a token", 403, headers=HEADERS)
        return answer(request)

    return guarded


async def _stream(news: _News) -> AsyncIterator[str]:
    number = 0
    while True:
        if news.number > number:
            number = news.number
            yield f"data: {news.text}\n\n"
        else:
            yield ": nothing new\n\n"
        await news.after(number)


def serve(results: Path, port: int, say: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Args:
        results: the folder that is followed.
        port: on this machine; 0: a free one.
        say: told the address, token included.

    Raises:
        RequestError: the folder is none, or the port is taken.
    """
    import uvicorn

    if not results.is_dir():
        raise RequestError(f"results {str(results)!r} is no folder: nothing to follow there yet")
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()  # before anyone is told: whoever comes while the server starts waits, and is not refused
    except OSError as error:
        listening.close()
        raise RequestError(f"--port {port} cannot be used: {error.strerror}; 0 takes a free one") from error
    token = secrets.token_urlsafe(24)
    say(f"http://{HOST}:{listening.getsockname()[1]}/?token={token}")
    how = uvicorn.Config(application(results, token), log_level="warning", timeout_graceful_shutdown=1)
    with listening:
        uvicorn.Server(how).run(sockets=[listening])
