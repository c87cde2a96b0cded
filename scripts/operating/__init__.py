"""Commands for operators: keys, users, the audit trail, rules, and dead letters."""
