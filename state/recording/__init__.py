"""Recordings: the sound of calls of chosen queues (SOUND_DAYS), kept in a store of files (RECORDINGS).

sounds.py     the store: a folder or S3-compatible storage, and the names in it
spool.py      a live call's audio on its way from Redis into parts in the store
catalogue.py  which archived call has a recording, how long it stays, and the legal holds that keep it longer

workers/recorder is the process that spools; workers/jobs/assembly.py makes one file of an ended call's parts.
"""
