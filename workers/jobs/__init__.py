"""Background jobs, run by RQ: queue.py asks for them, allowed.py says which there are, __main__.py runs them."""
