"""Settings shared by all tests."""

import os

from hypothesis import settings

# No deadline: a machine that is busy is not a failure. In CI the same examples are drawn each time,
# so that a red run is about the change and can be repeated.
settings.register_profile("local", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
