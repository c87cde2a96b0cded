"""Audio over sockets, in the protocols telephony speaks already.

One module a protocol turns its bytes into events (events.py); joiner.py joins small frames to chunks, writer.py
puts them into the journal, streamed_call.py does both for one socket. wire.py is the websocket, loop.py
waits for all of them, talking.py is one turn of one. __main__.py is the process that has nothing else to do.
A process keeps nothing of a call that another could not go on without, but the last half second.
"""
