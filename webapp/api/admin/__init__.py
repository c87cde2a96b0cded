"""What admins see and change: accounts, keys, queues, models, webhooks, jobs, the audit trail, erasing."""
