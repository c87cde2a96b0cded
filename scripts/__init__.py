"""Commands. A shell file sets up and starts the Python module of each."""

import state as state  # before redis: see there
