"""A small telephony switch, which posts recordings as live calls."""
