-- Stores an ended call's summary, once; a repeat changes nothing but the list of what is outstanding.
-- KEYS  call, unsummarised, feed, utterances
-- ARGV  1 call id, 2 summary (JSON), then what redaction changes, if anything (see `redact`)
-- Returns OK | AGAIN | GONE (the call has expired)
redis.call('SREM', KEYS[2], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then return 'GONE' end
if redis.call('HSETNX', KEYS[1], 'summary', ARGV[2]) == 0 then return 'AGAIN' end
redact(KEYS[1], KEYS[4], 3)
say_call(ARGV[1])
return 'OK'
