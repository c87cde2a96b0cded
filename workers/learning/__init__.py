"""Learning from supervisors' judgements; and which version of what was learned a call is scored with."""
