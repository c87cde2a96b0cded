"""The common part of all requests: body, checks, errors and headers."""
