-- Removes a decoder that has no heartbeat and holds no token. (Its entry in the group would take pending tokens along.)
--
-- KEYS    workers, residents, work, own_work, heartbeat
-- FIELDS  worker
-- ANSWER  outcome
--         BURIED
--         ALIVE   it has a heartbeat
--         HOLDS   it holds tokens: move them first
-- WRITES  with BURIED

if redis.call('EXISTS', heartbeat_key) == 1 then return answer({outcome = 'ALIVE'}) end
if redis.call('XLEN', own_work_key) > 0 then return answer({outcome = 'HOLDS'}) end
local group = redis.call('EXISTS', work_key) == 1 and #redis.call('XINFO', 'GROUPS', work_key) > 0
if group and #redis.call('XPENDING', work_key, 'decoders', '-', '+', 1, worker) > 0 then
  return answer({outcome = 'HOLDS'})
end
redis.call('DEL', own_work_key) -- frees first: Redis 6 refuses XGROUP as the first write while memory is full
if group then redis.call('XGROUP', 'DELCONSUMER', work_key, 'decoders', worker) end
redis.call('SREM', workers_key, worker)
redis.call('SREM', residents_key, worker)
return answer({outcome = 'BURIED'})
