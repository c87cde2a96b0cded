"""The web process: the HTTP API, the live table's page and its sockets. Stateless; all state is in Redis."""

import state as state  # before redis: see there
