"""The disasters of scripts/chaos for a fleet, and the check that nothing was lost."""
