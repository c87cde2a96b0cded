"""scripts/train: makes workers/insight/learned.json of the dialogues written for it."""
