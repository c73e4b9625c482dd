"""Templates to pages: every value escaped, a name that is not there an error. The only module that imports jinja2."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sync.times import duration, moment
from sync.web.access import Person
from sync.web.texts import ENGLISH, text

_TEMPLATES: Final = Path(__file__).parent / "templates"


class Rendering:
    """Makes pages of templates."""

    def __init__(self, always: Mapping[str, object]) -> None:
        """`always` is known to every template."""
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {"n": _number, "when": _when, "duration": duration, "moment": moment}
        self._environment.globals |= {"t": text, "csrf": _csrf, "has_text": ENGLISH.__contains__, **always}

    def know(self, **facts: object) -> None:
        """Let every template know this too."""
        self._environment.globals |= facts

    def page(self, template: str, /, **facts: object) -> str:
        """Render one template."""
        return self._environment.get_template(template).render(**facts)


def _csrf(person: Person) -> Markup:
    """The field that says that a form is of this very session."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(person.csrf)


def _number(value: int) -> str:
    return f"{value:,}"


def _when(wall: float | None) -> Markup:
    """A moment, as a person reads it and as a machine does."""
    if wall is None:
        return Markup("")
    at = datetime.fromtimestamp(wall, UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), moment(wall))
