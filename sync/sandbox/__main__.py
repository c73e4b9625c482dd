"""`python -m sync.sandbox`: the sandbox without the rest of the program."""

import sys

from sync.sandbox.server import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m sync.sandbox"))
