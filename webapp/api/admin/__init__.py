"""The admins' part: accounts, keys, queues, models, webhooks, jobs, the audit trail, erasing."""
