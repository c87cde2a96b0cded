"""Measures how well Earshot judges calls, beside plain TextBlob and VADER, on data given by path."""
