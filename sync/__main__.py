"""Start the command line: `coursesync`, also `python -m sync`."""

import sys


def main() -> None:
    """Run the command that the words of the command line name, and exit with its code."""
    from sync.cli.main import run  # noqa: PLC0415 - nothing is loaded before it is needed

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
