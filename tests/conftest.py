"""Hypothesis profiles: `ci`, the same examples every time, unless HYPOTHESIS_PROFILE asks for `dev`."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.register_profile("dev", deadline=None, max_examples=25)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
