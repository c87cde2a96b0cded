"""Programs on this machine: the embedded server, and what starts, watches and ends all others."""
