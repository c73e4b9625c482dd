"""`coursesync serve`: the page for people who use no terminal."""

from pathlib import Path

import click

from sync.cli.options import Common, common


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where it listens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one.")
@click.option("--public-url", metavar="URL", help="Where people find it, behind a proxy with TLS.")
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="FILE", help="A certificate (PEM).")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="Its key.")
@click.option("--four-eyes", is_flag=True, help="Nobody approves the own upload.")
@common
def serve(
    options: Common,
    *,
    host: str,
    port: int,
    public_url: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    four_eyes: bool,
) -> int:
    """Serve the page: upload, plan, approve, watch, take the report away. On this machine alone, unless told else.

    Without people (`coursesync users add`) it prints a link that signs in once.
    """
    from sync.cli.extras import need_web  # noqa: PLC0415 - loaded when the command runs

    need_web()
    from contextlib import closing  # noqa: PLC0415 - the same

    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - the same
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.bootstrap import bind  # noqa: PLC0415 - the same
    from sync.cli.streams import echo, flush  # noqa: PLC0415 - the same
    from sync.web.server import Listening  # noqa: PLC0415 - the same
    from sync.web.server import serve as serve_page  # noqa: PLC0415 - the same

    settings = options.settings(needs_network=True)
    with closing(open_store(settings.state_dir, SystemClock())) as store:
        bind(store, settings)

    def say(address: str) -> None:
        echo(f"The page is at {address}")
        flush()

    with options.logging(settings):
        listening = Listening(host, port, public_url, tls_cert, tls_key)
        serve_page(settings, listening, words=_words(options), four_eyes=four_eyes, say=say)
    return 0


def _words(options: Common) -> tuple[str, ...]:
    """What each process that the page starts needs to find the same profile and the same journal."""
    given = (("--profile", options.profile), ("--config", options.config), ("--state-dir", options.state_dir))
    return tuple(word for option, value in given if value for word in (option, str(value)))
