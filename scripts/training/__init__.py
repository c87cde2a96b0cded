"""scripts/train: makes workers/insight/polarity/learned.json from dialogues written for it."""
