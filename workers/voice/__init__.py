"""The sound of a voice beside its words: measured in each utterance, judged against the same party's calm speech."""
