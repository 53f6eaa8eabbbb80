"""What one look found, everyone who listens is told; a look that fails ends nothing."""

import asyncio
import contextlib
import json

from analysis.live import news
from analysis.live.news import News

SECONDS = 0.02


async def heard(told, n_listeners, enough):
    """Return what each of some listeners is told until the look that is enough."""
    following = asyncio.create_task(told.follow())
    found = await asyncio.wait_for(asyncio.gather(*[listen(told, enough) for _ in range(n_listeners)]), 20)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    return found


async def listen(told, enough):
    found = []
    async for text in told.stream():
        found += [json.loads(text[6:])] if text.startswith("data: ") else []
        if found and found[-1].get("look") == enough:
            return found


def looks(monkeypatch, *answers):
    waiting = list(answers)

    def look(self):
        answer = waiting.pop(0) if waiting else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(news.Follower, "look", look)


def test_a_look_that_fails_is_said_and_the_next_ones_tell_what_there_is(tmp_path, monkeypatch):
    known = {"studies": ["known"], "error": "", "look": 0}
    looks(monkeypatch, known, KeyError("metric.nmi"), {"value": float("nan")}, {"studies": [], "look": 3})
    ((first, failed, unsaid, last),) = asyncio.run(heard(News(tmp_path, SECONDS), 1, 3))
    assert first == known and last["look"] == 3
    assert "KeyError" in failed["error"] and failed["studies"] == ["known"]
    assert "ValueError" in unsaid["error"] and unsaid["studies"] == ["known"]


def test_all_who_listen_are_told_the_last_news_also_when_news_come_at_once(tmp_path, monkeypatch):
    looks(monkeypatch, *({"look": number} for number in range(200)))
    for found in asyncio.run(heard(News(tmp_path, 0.0), 20, 199)):
        numbers = [one["look"] for one in found]
        assert numbers == sorted(numbers) and numbers[-1] == 199


def test_who_comes_later_is_told_the_latest_at_once_and_without_news_that_the_stream_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(news, "ALIVE_SECONDS", 0.01)
    looks(monkeypatch, {"look": 0})

    async def late():
        told = News(tmp_path, SECONDS)
        await heard(told, 1, 0)
        stream = told.stream()
        return [await anext(stream) for _ in range(3)]

    first, *others = asyncio.run(late())
    assert json.loads(first[6:]) == {"look": 0} and others == [": nothing new\n\n"] * 2
