"""The progress of runs as server-sent events: one look at the journal a second for all who watch the same run."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sync.web.site import Site
from sync.web.standing import live_facts, standing_of
from sync.web.visits import Endpoint, person_of

LOOK_EVERY_S: Final = 1.0
BEAT_EVERY: Final = 15
"""Looks without news after which a word is sent all the same, so that nobody takes the line for dead."""
CHECK_EVERY: Final = 10
"""Looks after which it is asked anew whether the session is still good."""


@dataclass(slots=True)
class _Watch:
    """One run that is watched."""

    latest: str = ""
    number: int = 0
    """Of the latest news."""
    ended: bool = False
    watchers: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: "asyncio.Task[None] | None" = None


@dataclass(slots=True)
class Hub:
    """Looks at runs for those who watch them."""

    site: Site
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _watches: dict[str, _Watch] = field(default_factory=dict)

    def stream(self) -> Endpoint:
        """The endpoint of one run's events."""

        async def answer(request: Request) -> Response:
            if await run_in_threadpool(person_of, self.site, request) is None:
                return Response(status_code=204)  # tells an EventSource to try no more
            return StreamingResponse(
                self._events(str(request.path_params["run"]), request),
                media_type="text/event-stream",
                headers={"cache-control": "no-store", "x-accel-buffering": "no"},
            )

        return answer

    async def _events(self, run_id: str, request: Request) -> AsyncIterator[bytes]:
        watch = self._watches.setdefault(run_id, _Watch())
        watch.watchers += 1
        if watch.task is None:
            watch.task = asyncio.create_task(self._look(run_id, watch))
        seen, looks = 0, 0
        try:
            yield b"retry: 2000\n\n"
            while not self.closing.is_set():
                async with watch.news:
                    if watch.number == seen and not watch.ended:
                        try:
                            async with asyncio.timeout(LOOK_EVERY_S * BEAT_EVERY):
                                await watch.news.wait()
                        except TimeoutError:
                            pass
                looks += 1
                if watch.number != seen:
                    seen = watch.number
                    yield f"event: progress\ndata: {watch.latest}\n\n".encode()
                elif not watch.ended:
                    yield b": still here\n\n"
                if watch.ended:
                    yield b"event: ended\ndata: {}\n\n"
                    return
                if looks % CHECK_EVERY == 0 and await run_in_threadpool(person_of, self.site, request) is None:
                    return
        finally:
            watch.watchers -= 1
            if watch.watchers == 0 and watch.task is not None:
                watch.task.cancel()
                self._watches.pop(run_id, None)

    async def _look(self, run_id: str, watch: _Watch) -> None:
        while True:
            text, ended = await run_in_threadpool(self._facts, run_id)
            async with watch.news:
                if text != watch.latest:
                    watch.latest, watch.number = text, watch.number + 1
                    watch.news.notify_all()
                if ended or self.closing.is_set():
                    watch.ended = True
                    watch.news.notify_all()
                    return
            await asyncio.sleep(LOOK_EVERY_S)

    def _facts(self, run_id: str) -> tuple[str, bool]:
        with closing(self.site.access.reading()) as store:
            standing = standing_of(self.site, store, run_id)
        if standing is None:
            return "{}", True
        return json.dumps(live_facts(self.site, standing)), not standing.is_at_work
