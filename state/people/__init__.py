"""Who may do what, and who did: accounts, keys, sessions, the audit trail."""
