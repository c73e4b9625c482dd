"""Real programs that some tests lean on: where each is found, and whether it has to be there.

Without one its tests are skipped, and say so. Where `COURSESYNC_TESTS_NEED` names it (as `.ci/run` does), a program
that is missing is a failure: nothing is called shown that was not run.
"""

import os
import shutil

import pytest

VARIABLE = "COURSESYNC_TESTS_NEED"
PLACES = ("/usr/sbin", "/usr/local/sbin")
"""Where servers lie that a user's search path leaves out."""


def find(name: str) -> str | None:
    """The path of this program, or `None`."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(PLACES))


def needs(name: str) -> pytest.MarkDecorator:
    """Mark tests that run the program `name`.

    Raises:
        FileNotFoundError: it is not installed, though it has to be.
    """
    found = find(name)
    if found is None and name in os.environ.get(VARIABLE, "").split():
        raise FileNotFoundError(f"{VARIABLE} names {name}, and it is not installed")
    return pytest.mark.skipif(found is None, reason=f"{name} is not installed")
