"""What scripts/soak runs, measures and draws."""
