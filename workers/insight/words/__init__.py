"""Words as an engine writes them, in one form, and phrases found among them."""
