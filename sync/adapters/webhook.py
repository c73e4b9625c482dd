"""A message as signed JSON to one address: the receiver can tell that it is ours, and that it is new.

`X-Coursesync-Signature` is `sha256=` and the HMAC-SHA256, in hexadecimal, of the timestamp, a point, and the body as it
came; `X-Coursesync-Timestamp` has the seconds since the epoch. A receiver refuses an old timestamp.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping

from sync.adapters.secret import Secret
from sync.section import Json

SIGNATURE = "X-Coursesync-Signature"
TIMESTAMP = "X-Coursesync-Timestamp"


def signature(body: bytes, *, timestamp: int, secret: Secret) -> str:
    """What a receiver compares with."""
    signed = f"{timestamp}.".encode() + body
    return "sha256=" + hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()


def post(address: str, message: Mapping[str, Json], *, secret: Secret, at_wall: float, timeout_s: float) -> bool:
    """Send the message, and say whether the receiver took it; no redirect is followed, no proxy of theirs used.

    Raises:
        OSError: a certificate store cannot be read.
    """
    import httpx  # noqa: PLC0415 - only where a webhook is told

    body = json.dumps(message, ensure_ascii=False, sort_keys=True).encode()
    timestamp = int(at_wall)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "coursesync",
        TIMESTAMP: str(timestamp),
        SIGNATURE: signature(body, timestamp=timestamp, secret=secret),
    }
    try:
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=timeout_s) as client,
            client.stream("POST", address, content=body, headers=headers) as answer,
        ):
            return answer.is_success
    except httpx.HTTPError:
        return False
