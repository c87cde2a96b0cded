"""The meaning of a call's words for a supervisor: scores, attention, rules, redaction, talk figures.

Pure functions of plain values (state/types.py): no Redis, no clock, no network. Any worker computes the same.
"""
