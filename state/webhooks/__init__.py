"""What other programs are told of, and by whom: endpoints and their deliveries, in the archive's database.

happenings.py  the six events, and how each is written down
endpoints.py   who is told what
deliveries.py  what is to be told to whom, until it is; the log
signing.py     the headers of the Standard Webhooks form

workers/webhooks writes down and delivers. All of it is in the database and not in Redis: what a message says, to whom
it goes and the feed's cursor are one transaction there. So nothing is lost or doubled wherever a process dies.
"""
