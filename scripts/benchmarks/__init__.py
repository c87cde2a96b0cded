"""Benchmarks: measure, print JSON, judge nothing."""
