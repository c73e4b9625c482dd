"""Import a library without what it loads by the way for uses that are not ours: a tenth of the start of a command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While the block runs, importing one of these modules fails as if it were not installed, unless it is loaded.

    For libraries that say what they do then: httpx has no command line, structlog no coloured tracebacks.
    """
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            modules.pop(name, None)
