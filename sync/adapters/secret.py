"""A text that must never be shown: password, token, one-time code."""

import hmac
from typing import NoReturn


class Secret:
    """A secret text: it prints as `***`, compares in constant time, and cannot be pickled.

    Only `reveal` gives the text, so that a search for that word finds every place where a secret leaves its wrapper.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Wrap `text` as it is."""
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends or stores it."""
        return self._text

    def __repr__(self) -> str:
        """Three stars, whatever the text."""
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        """Whether there is any text at all."""
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        """Equal to another secret with the same text, never to a plain string."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        """In step with equality."""
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied into another process.

        Raises:
            TypeError: always.
        """
        raise TypeError("a secret is not pickled")
