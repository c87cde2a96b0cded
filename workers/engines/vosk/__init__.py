"""Vosk models, in the form prepare.py gives them.

libvosk decodes a chunk and then asks its endpointer once. So utterances end at chunk edges, and the edges have an
effect on the words. When an utterance ends, FinalResult() decodes the rest of the pipeline, and we throw the
recogniser away. The next utterance begins with another one, as it would in another worker. (Programs with one worker
call Result() and go on. That gives other words, because the old adaptation and the audio in the pipeline have an
effect.)

A new recogniser would pay again for the part of the graph that libvosk builds while it decodes. So each utterance
begins with a copy of one that has heard some speech (priming.py) and built that part. Only a fork can copy it: an open
utterance is a process (utterance.py).
"""
