"""The live server answers who has the token, follows the folder, and has no way to write."""

import json
import shutil
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from analysis.live import server
from orchestrator.errors import RequestError

TOKEN = "a-token"


@pytest.fixture(scope="module")
def results(synthetic, tmp_path_factory):
    folder = shutil.copytree(synthetic.results, tmp_path_factory.mktemp("live") / "results")
    (folder / "studies" / "synthetic" / "report.html").write_text("the report")
    return folder


@pytest.fixture(scope="module")
def address(results):
    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(server.application(results, TOKEN, 0.05), log_level="error", timeout_graceful_shutdown=1)
    served = uvicorn.Server(config)
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listening]})
    thread.start()
    while not served.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    served.should_exit = True
    thread.join()
    listening.close()


def asked(address, path="/", method="GET", **headers):
    request = urllib.request.Request(address + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_without_the_token_nothing_is_told(address, results):
    for path in ("/", "/events", "/report/synthetic", "/?token=another", "/?token="):
        status, _, text = asked(address, path)
        assert status == 403 and str(results) not in text


def test_with_the_token_the_page_comes_and_a_cookie_that_no_script_reads(address, results):
    status, headers, text = asked(address, f"/?token={TOKEN}")
    assert status == 200 and str(results) in text
    cookie = headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert headers["cache-control"] == "no-store" and "connect-src 'self'" in text.replace("&#39;", "'")


def test_another_name_for_this_machine_is_refused(address):
    assert asked(address, f"/?token={TOKEN}", Host="elsewhere.example:80")[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_but_reading_is_answered(address, method):
    assert asked(address, f"/?token={TOKEN}", method)[0] == 405


def test_a_report_is_shown_and_no_other_file(address):
    cookie = f"{server.COOKIE}={TOKEN}"
    assert asked(address, "/report/synthetic", Cookie=cookie)[2] == "the report"
    for name in ("nothing", "..", "..%2f..%2fledger.json", "%2e%2e"):
        assert asked(address, f"/report/{name}", Cookie=cookie)[0] == 404


def test_the_stream_tells_the_state_and_then_what_changed(address, results, train_missing):
    request = urllib.request.Request(f"{address}/events?token={TOKEN}")
    with urllib.request.urlopen(request, timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        first = next(line for line in stream if line.startswith(b"data: "))
        assert json.loads(first[6:])["studies"][0]["missing"] == 1
        train_missing(results)
        later = (json.loads(line[6:]) for line in stream if line.startswith(b"data: "))  # ends in a timeout
        assert any(state["studies"][0]["missing"] == 0 for state in later)  # some come while the trial is written


def test_following_writes_nothing(address, results):
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    asked(address, f"/?token={TOKEN}")
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before


def test_a_folder_that_is_none_and_a_port_that_is_taken_are_refused_in_one_line(results, tmp_path):
    with pytest.raises(RequestError, match="is no folder"):
        server.serve(tmp_path / "none", 0, print)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RequestError, match=f"--port {port} cannot be used"):
            server.serve(results, port, print)


def test_whoever_comes_as_soon_as_the_address_is_said_waits_and_is_not_refused(results, monkeypatch):
    import uvicorn

    reached = []

    def come(address):
        port = int(address.partition("?")[0].rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            reached.append(port)

    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: None)
    server.serve(results, 0, come)
    assert reached
