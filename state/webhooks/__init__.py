"""What other programs learn: endpoints, and the deliveries to them, in the archive's database.

happenings.py  the events, and how each is written down
endpoints.py   who gets which events
deliveries.py  each message and its receivers, until they have it; the log
signing.py     the headers of the Standard Webhooks form

workers/webhooks writes down and delivers. All of it is in the database and not in Redis: what a message says, to whom
it goes and the feed's cursor are one transaction there. So nothing is lost or doubled wherever a process dies.
"""
