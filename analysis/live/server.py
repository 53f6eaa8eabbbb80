"""The live page as a server on this machine: it answers GET alone, to whoever has the token, and writes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from analysis.live.news import News
from analysis.pages import rendering
from orchestrator.errors import RequestError
from orchestrator.ledger.studies import study_names

__all__ = ["application", "serve"]

HOST = "127.0.0.1"
COOKIE = "orchestrate-token"
SECONDS = 1.0
"""Between two looks whether anything changed."""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def application(results: Path, token: str, seconds: float = SECONDS) -> Starlette:
    """Return the application.

    Args:
        results: the folder that is followed.
        token: what a request must bring, in its address the first time and as a cookie from then on.
        seconds: between two looks whether anything changed.
    """
    news = News(results, seconds)

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
        return StreamingResponse(news.stream(), media_type="text/event-stream", headers=HEADERS)

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
