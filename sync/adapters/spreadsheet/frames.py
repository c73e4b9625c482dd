"""Messages over a pipe: how the reading process and its caller tell where one ends."""

from collections.abc import Iterator
from typing import IO, Final

LENGTH_BYTES: Final = 8


def send(file: IO[bytes], payload: bytes) -> None:
    """Write one frame: its length, then its bytes."""
    file.write(len(payload).to_bytes(LENGTH_BYTES, "big"))
    file.write(payload)
    file.flush()


def receive(file: IO[bytes]) -> bytes | None:
    """Read one frame; `None` at the end."""
    head = file.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    payload = file.read(length)
    return payload if len(payload) == length else None


def frames(file: IO[bytes]) -> Iterator[bytes]:
    """Read frames to the end."""
    while (frame := receive(file)) is not None:
        yield frame
