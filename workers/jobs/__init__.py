"""Background jobs, run by RQ: queue.py asks for them, summary.py is the first, __main__.py runs them."""
