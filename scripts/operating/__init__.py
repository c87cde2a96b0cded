"""Commands for operators: keys, users, the audit trail, rules, backups, erasing, webhooks and the like."""
