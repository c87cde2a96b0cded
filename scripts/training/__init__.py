"""scripts/train: makes workers/insight/polarity/learned.json of the dialogues written for it."""
