"""`coursesync sandbox`: serve a local stand-in for the API."""

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def sandbox(words: tuple[str, ...]) -> int:
    """Serve a local stand-in for the API, with faults on demand."""
    from sync.cli.extras import need_sandbox  # noqa: PLC0415 - loaded when the command runs

    need_sandbox()
    from sync.sandbox.server import main  # noqa: PLC0415 - the same

    try:
        return main(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
