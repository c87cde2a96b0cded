"""A real Asterisk for tests: its folder, process and REST interface, and a call through it."""
