"""Ended calls in a database, for as long as you want them: SQLite or PostgreSQL, as DATABASE_URL says.

tables.py      every table and column, described
migrations/    how a database becomes what tables.py says (Alembic)
away.py        the error that says that the database is away
opening.py     connecting, migrating, and when the database is away
write.py       an ended call into the database; workers/jobs/archive.py does it when its summary is written
search.py      lists of calls by words, agent, queue, ...; and one call
"""
