"""HTML to what is left of it when only tags and attributes of a list are kept: the only home of nh3."""

from collections.abc import Mapping, Sequence
from typing import Final

from sync.errors import ConfigError
from sync.html_cleaning import Cleaner

SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
"""What an address in kept markup may begin with."""
NEVER: Final = frozenset(
    {"base", "embed", "frame", "frameset", "link", "meta", "noscript", "object", "script", "style"}
)
"""Tags that no profile can keep: they run, load, or change how the rest is read."""


def html_cleaner(allowed: Mapping[str, Sequence[str]]) -> Cleaner:
    """Make a cleaner that keeps the usual markup of texts, and the `allowed` attributes of further tags.

    Args:
        allowed: tag to attributes; the tag `*` stands for all.

    Raises:
        ConfigError: nh3 is not installed, or the list names something that is never kept.
    """
    try:
        import nh3  # noqa: PLC0415 - an extra, for those who ask for it
    except ImportError as exc:
        raise ConfigError(
            'html = "clean" needs the package nh3, which is not installed.',
            remedy='Install it with `pip install "coursesync[clean]"`, or choose report or hold.',
        ) from exc
    attributes = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
    for tag, names in allowed.items():
        _refuse(tag, names)
        attributes.setdefault(tag.casefold(), set()).update(name.casefold() for name in names)
    cleaner = nh3.Cleaner(
        tags=set(nh3.ALLOWED_TAGS) | {tag.casefold() for tag in allowed if tag != "*"},
        attributes=attributes,
        url_schemes=set(SCHEMES),
        link_rel=None,  # nothing is added that the sheet does not say
    )
    return cleaner.clean


def _refuse(tag: str, names: Sequence[str]) -> None:
    if tag.casefold() in NEVER:
        raise ConfigError(f'[html_allow] names the tag "{tag}", which is never kept.', remedy="Take it out.")
    for name in names:
        if name.casefold().startswith("on") or name.casefold() == "srcdoc":
            raise ConfigError(
                f'[html_allow] names the attribute "{name}" of "{tag}", which runs as a script and is never kept.',
                remedy="Take it out.",
            )
