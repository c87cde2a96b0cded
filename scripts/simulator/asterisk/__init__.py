"""A real Asterisk for tests: its folder and process, its REST interface, and a call through it."""
