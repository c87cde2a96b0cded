"""What a voice does beside its words: measured per utterance, judged against the same party's calm speech."""
