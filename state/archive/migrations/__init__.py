"""The steps from an empty database to what tables.py says.

An older process goes on working while a newer one takes a step. It may also start again afterwards, when a deploy is
taken back. So a step only adds: tables, indexes, and columns that may be null or have a default on the server. If a
step must do more, raise NEEDS to it in the same commit; then older processes say that the database is newer.
"""

HEAD = "0009"
"""The last step."""

NEEDS = "0007"
"""The newest step that a process must know to work with a database at HEAD."""
