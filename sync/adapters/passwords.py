"""Passwords of the page's people: hashed with argon2id, compared in constant time. The only home of argon2."""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 12
"""Characters."""
_HASHER: Final = PasswordHasher()
_NOBODY: Final = _HASHER.hash("nobody has this password, and nobody may be told from somebody by the time it takes")


def hash_of(password: str) -> str:
    """The hash of a password, with its salt."""
    return _HASHER.hash(password)


def is_password(password: str, known: str | None) -> bool:
    """Whether this is the password of the hash; without one it takes as long, and is not."""
    try:
        _HASHER.verify(known or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return known is not None
