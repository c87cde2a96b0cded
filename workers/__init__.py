"""The processes behind the web."""

import state as state  # before redis: see there
