"""What a mischief-maker writes into a sheet and calls a file: markup, paths, options, orders of letters."""

EVIL = "<img src=x onerror=alert(1)>"
HOSTILE_NAMES = (
    "../../../../tmp/x.xlsx",
    "..\\..\\x.xlsx",
    "CON",
    "x" * 300 + ".xlsx",
    "\u202exslx.exe",
    "<script>alert(1)</script>.xlsx",
    "--config=evil.toml",
    "a\r\nSet-Cookie: x=1.xlsx",
    EVIL,
)
MARKUP = f"<p>Hello</p>{EVIL}<script>alert(2)</script><iframe src='javascript:alert(3)'></iframe>"


def is_text(page: str) -> bool:
    """Whether nothing that a person wrote is markup here."""
    return not any(tag in page for tag in ("<img", "<script>alert", "<iframe", "\u202e"))
