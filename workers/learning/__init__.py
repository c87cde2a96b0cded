"""Learning from supervisors' judgements, and the version of the attention model that scores a call."""
