"""The sentiment process: scores finished utterances and says how each call stands (see __main__.py)."""
