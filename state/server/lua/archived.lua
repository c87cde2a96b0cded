-- Notes that the database has an ended call, so that the call may leave Redis when its time has come. Puts a recorded
-- call on the list of those whose recording still lies in parts.
--
-- KEYS    call, unarchived, unassembled
-- FIELDS  call_id
--         handling?          as the writer read it before it wrote the call to the database; left out if there was none
-- ANSWER  outcome
--         OK       noted
--         CHANGED  supervisors have changed something since: write the call again
--         GONE     no such call
-- WRITES  with OK; with GONE it only takes the call off the list of what the database lacks

if redis.call('EXISTS', call_key) == 0 then
  redis.call('SREM', unarchived_key, call_id)
  return answer({outcome = 'GONE'})
end
if redis.call('HGET', call_key, 'handling') ~= (handling or false) then return answer({outcome = 'CHANGED'}) end
redis.call('SREM', unarchived_key, call_id) -- frees first: see open.lua
redis.call('HSET', call_key, 'archived', 1)
if redis.call('HEXISTS', call_key, 'recorded') == 1 then redis.call('SADD', unassembled_key, call_id) end
return answer({outcome = 'OK'})
