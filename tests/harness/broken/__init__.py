"""Processes that fail on purpose at one point."""
