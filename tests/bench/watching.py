"""Operators who look at a run: each has its event stream open and loads the page anew every few seconds."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

LOAD_EVERY_S = 5.0
LONGEST_S = 30.0
SEED = 20250115


class UnexpectedAnswerError(Exception):
    """The page answered with something else than what was asked for."""


@dataclass(slots=True)
class Seen:
    """What all of them met."""

    loads_s: list[float] = field(default_factory=list)
    news: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Operator:
    """One of them, by the cookie; `seen` and `ended` are shared by all."""

    address: tuple[str, int]
    run: str
    cookie: str
    seen: Seen
    ended: asyncio.Event

    async def look(self, start_s: float) -> None:
        """Load the page, listen until it is time to load it again; the stream is opened anew as a browser does."""
        await self._rest(start_s)
        while not self.ended.is_set():
            began = time.perf_counter()
            try:
                async with asyncio.timeout(LONGEST_S):
                    self.seen.loads_s.append(await self._load())
                await self._listen(until=began + LOAD_EVERY_S)
            except (OSError, UnexpectedAnswerError, ValueError, EOFError, TimeoutError) as error:
                if not self.ended.is_set():
                    self.seen.errors.append(repr(error))
            await self._rest(began + LOAD_EVERY_S - time.perf_counter())

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.wait({asyncio.ensure_future(self.ended.wait())}, timeout=seconds)

    async def _ask(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
        reader, writer = await asyncio.open_connection(*self.address)
        host = f"{self.address[0]}:{self.address[1]}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {self.cookie}\r\n\r\n".encode())
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        if int(status.split()[1]) != HTTPStatus.OK:
            raise UnexpectedAnswerError(status)
        lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
        return reader, writer, int(lengths[0]) if lengths else 0

    async def _load(self) -> float:
        began = time.perf_counter()
        reader, writer, length = await self._ask(f"/runs/{self.run}")
        page = await reader.readexactly(length)
        took = time.perf_counter() - began
        writer.close()
        if not page.rstrip().endswith(b"</html>"):
            raise UnexpectedAnswerError(page[-200:].decode(errors="replace"))
        return took

    async def _listen(self, *, until: float) -> None:
        reader, writer, _ = await self._ask(f"/runs/{self.run}/events")
        try:
            async with asyncio.timeout(max(0.0, until - time.perf_counter())):
                while line := await reader.readline():
                    if line.startswith(b"event: ended"):
                        return
                    self.seen.news += line.startswith(b"event: progress")
        except TimeoutError:
            return
        finally:
            writer.close()
        raise UnexpectedAnswerError("the stream ended")


async def watch(address: tuple[str, int], run: str, cookies: Sequence[str], ended: asyncio.Event) -> Seen:
    """Let one operator a cookie look at `run` until `ended`, each from a moment of its own on."""
    seen, chance = Seen(), random.Random(SEED)
    starts = [chance.uniform(0, LOAD_EVERY_S) for _ in cookies]
    operators = [Operator(address, run, cookie, seen, ended) for cookie in cookies]
    await asyncio.gather(*(one.look(start) for one, start in zip(operators, starts, strict=True)))
    return seen
