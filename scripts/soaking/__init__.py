"""The runs, measurements and plots of scripts/soak."""
