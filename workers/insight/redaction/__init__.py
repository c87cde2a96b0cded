"""Numbers and addresses that must not be shown: found, masked in the words, silenced in the sound."""
