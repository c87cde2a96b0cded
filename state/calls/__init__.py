"""What becomes of calls in the store: chunks, leases, commits, scores, reads, and their end."""
