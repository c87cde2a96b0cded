"""What a call is about: its reason, what happened, what was promised, how it stands. Each line rests on words said.

cues.yaml, cues.py   how callers and agents say such things
quote.py             a few words of an utterance, as people like to read them
story.py             the fold over a call's utterances; its state is small however long the call is
"""
