"""Benchmarks. They measure, print JSON and judge nothing."""
