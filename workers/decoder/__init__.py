"""The decoder process: a parent that loads the model (parent.py), loops that take tokens (loop.py), and what
becomes of one track under one lease (track.py)."""
