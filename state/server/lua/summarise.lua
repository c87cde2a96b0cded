-- Stores an ended call's summary, once.
--
-- KEYS    call, utterances, unsummarised, unarchived, feed
-- FIELDS  call_id
--         summary            JSON
--         masked?            what redaction changes: see `redact`
--         archive?           write the call to the database now
-- ANSWER  outcome
--         OK     stored
--         AGAIN  it has one
--         GONE   the call has expired
-- WRITES  with OK; the others only take the call off the list of what is outstanding

redis.call('SREM', unsummarised_key, call_id)
if redis.call('EXISTS', call_key) == 0 then return answer({outcome = 'GONE'}) end
if redis.call('HSETNX', call_key, 'summary', summary) == 0 then return answer({outcome = 'AGAIN'}) end
if archive then redis.call('SADD', unarchived_key, call_id) end
redact(masked)
say_call()
return answer({outcome = 'OK'})
