"""The decoder process: a parent that loads the model (parent.py), loops that take tokens (loop.py), and the work on one
track under one lease (track.py)."""
