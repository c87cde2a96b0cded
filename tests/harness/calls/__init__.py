"""Calls for tests: speech, noise, engines, telephony's messages."""
