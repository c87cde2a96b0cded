"""Measures how well calls are judged, against plain TextBlob and VADER, on data given by path."""
