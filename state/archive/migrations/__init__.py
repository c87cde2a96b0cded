"""The steps from an empty database to what tables.py says.

A process of before goes on working while a newer one takes a step, and may start again afterwards: a step back of a
deploy. So a step only adds: tables, indexes, and columns that may be null or have a default on the server. Where that
cannot be, raise NEEDS to the step in the same commit; then processes of before say that the database is newer.
"""

HEAD = "0009"
"""The last step."""

NEEDS = "0007"
"""The step that a process must know at least to work with a database at HEAD."""
