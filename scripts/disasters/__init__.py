"""What scripts/chaos does to a fleet, and how it checks that nothing was lost."""
