"""Who may do what: keys, sign-in, sessions, limits, origins."""
