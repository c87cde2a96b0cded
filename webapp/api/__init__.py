"""The HTTP API: what it says, what it takes, and its document."""
