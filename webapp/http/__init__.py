"""What every request has in common: its body, its checks, its errors and headers."""
