-- Changes a call's handling, if nobody else has changed it meanwhile. The trail says who did it.
--
-- KEYS    call, feed, acts, unarchived
-- FIELDS  call_id
--         before?            the handling from which the change began; left out if there was none
--         after              the new handling
--         event, deed        JSON: for the pages, for the trail
--         deeds_kept         most deeds in the trail
-- ANSWER  outcome
--         OK        changed
--         CONFLICT  another change came between: read it and try again
--         GONE      no such call
-- WRITES  with OK

local state, handling = unpack(redis.call('HMGET', call_key, 'state', 'handling'))
if not state then return answer({outcome = 'GONE'}) end
if handling ~= (before or false) then return answer({outcome = 'CONFLICT'}) end
redis.call('HSET', call_key, 'handling', after)
if redis.call('HEXISTS', call_key, 'archived') == 1 then redis.call('SADD', unarchived_key, call_id) end
redis.call('XADD', acts_key, 'MAXLEN', '~', deeds_kept, '*', 'j', deed)
say(event)
return answer({outcome = 'OK'})
