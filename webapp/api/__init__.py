"""The HTTP API: its answers, its inputs, and its document."""
