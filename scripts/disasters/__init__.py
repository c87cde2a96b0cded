"""The disasters of scripts/chaos, and the check that nothing was lost."""
