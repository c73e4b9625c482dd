"""Start the command line: `coursesync`, also `python -m sync`."""

import gc
import sys

YOUNG = 250_000
"""New objects between two looks for cycles. A sheet is millions of objects that all live to the end: at Python's own
threshold a tenth of the time would go into looking at them again and again. More than a command loads of modules, which
live to the end, too: to look through those once takes as long as a tenth of the start."""
YOUNG_BEFORE_OLD = 100


def main() -> None:
    """Run the command that the words of the command line name, and exit with its code."""
    gc.set_threshold(YOUNG, YOUNG_BEFORE_OLD, YOUNG_BEFORE_OLD)
    from sync.cli.main import run  # noqa: PLC0415 - nothing is loaded before it is needed

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
