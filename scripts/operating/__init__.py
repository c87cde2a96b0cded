"""Commands for operators: keys, users, the audit trail, rules, and what was laid aside."""
