"""A telephony switch in small: posts recordings as live calls."""
