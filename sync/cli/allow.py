"""`--allow NAME`, on every command that plans or sends: lift one rail, by its name."""

import click


def _known(_context: click.Context, _option: click.Parameter, names: tuple[str, ...]) -> frozenset[str]:
    """Refuse a name that is no rail's.

    Raises:
        ConfigError: with the nearest name.
    """
    if names:
        from sync.rails import check_names  # noqa: PLC0415 - loaded where a rail is named

        check_names(names, place="--allow")
    return frozenset(names)


allow_option = click.option(
    "--allow",
    "allowed",
    metavar="NAME",
    multiple=True,
    callback=_known,
    help="Lift this rail for this run; once for each rail.",
)
