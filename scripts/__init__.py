"""Commands. Each is a shell file that sets up and starts the Python module of the same name."""

import state as state  # before redis: see there
