"""`--on-conflict` and `--on-drift`, on every command that decides a sheet: the profile's policies, for this run."""

import click

conflict_option = click.option(
    "--on-conflict",
    type=click.Choice(["refuse", "sheet", "live"]),
    help="What becomes of fields that somebody else changed; else as the profile says.",
)
drift_option = click.option(
    "--on-drift",
    type=click.Choice(["restore", "keep"]),
    help="What becomes of fields that somebody changed after us; else as the profile says.",
)
