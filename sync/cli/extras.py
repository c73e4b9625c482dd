"""What a command needs beyond the plain installation, and the sentence that says so."""

from importlib.util import find_spec

from sync.errors import ConfigError


def need_sandbox() -> None:
    """Make sure that the sandbox's web server is installed.

    Raises:
        ConfigError: it is not.
    """
    if any(find_spec(name) is None for name in ("starlette", "uvicorn", "httptools")):
        raise ConfigError(
            "The sandbox needs its web server.", remedy="Install it with: pip install 'coursesync[sandbox]'"
        )


def need_web() -> None:
    """Make sure that what the page needs is installed.

    Raises:
        ConfigError: it is not.
    """
    if any(find_spec(name) is None for name in ("argon2", "httptools", "jinja2", "starlette", "uvicorn")):
        raise ConfigError("The page needs its web server.", remedy="Install it with: pip install 'coursesync[web]'")
