"""The steps from an empty database to what tables.py says. HEAD names the last one."""

HEAD = "0007"
