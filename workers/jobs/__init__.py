"""Background jobs, run by RQ: queue.py asks for them, perform.py says which there are, __main__.py runs them."""
