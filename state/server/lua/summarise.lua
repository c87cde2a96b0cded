-- Stores an ended call's summary, once.
--
-- KEYS    call, utterances, unsummarised, unarchived, feed
-- FIELDS  call_id
--         summary            JSON
--         masked?            what redaction changes: see `redact`
--         archive?           the database is to have the call now
-- ANSWER  outcome
--         OK     stored
--         AGAIN  the call has one
--         GONE   the call has expired
-- WRITES  with OK; otherwise it only takes the call off the list of those that wait for a summary

redis.call('SREM', unsummarised_key, call_id)
if redis.call('EXISTS', call_key) == 0 then return answer({outcome = 'GONE'}) end
if redis.call('HSETNX', call_key, 'summary', summary) == 0 then return answer({outcome = 'AGAIN'}) end
if archive then redis.call('SADD', unarchived_key, call_id) end
redact(masked)
say_call()
return answer({outcome = 'OK'})
