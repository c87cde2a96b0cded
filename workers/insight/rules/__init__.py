"""Supervisors' own rules: what they may say, how they are read, and what they find in a call."""
