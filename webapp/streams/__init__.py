"""Audio over sockets, in the protocols that telephony already speaks.

Each protocol has a module that turns its bytes into events (events.py). joiner.py joins small frames into chunks,
writer.py puts them into the journal, track.py does both for one track, and streamed_call.py for all of one socket.
wire.py is the websocket, loop.py waits for all of them, talking.py is one turn of one. __main__.py is the process that
does nothing else. A process keeps only the last half second of a call, so another one can go on.
"""
