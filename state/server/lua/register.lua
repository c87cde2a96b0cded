-- Announces a decoder. Announces it again after the server lost its last second.
--
-- KEYS    workers, residents, work, own_work, heartbeat
-- FIELDS  worker, heartbeat_ms
--         resident           it is at home in this shard and has a stream of its own, for the tracks it is warm for
-- ANSWER  outcome
--         OK
-- WRITES  always

redis.call('DEL', heartbeat_key) -- frees first: a decoder must be able to join while memory is full
redis.call('SADD', workers_key, worker)
redis.call('SET', heartbeat_key, 1, 'PX', heartbeat_ms)
redis.call(resident and 'SADD' or 'SREM', residents_key, worker)
for _, stream in ipairs(resident and {work_key, own_work_key} or {work_key}) do
  -- pcall: MKSTREAM leaves an existing stream alone, and an existing group (BUSYGROUP) is as good as a new one
  redis.pcall('XGROUP', 'CREATE', stream, 'decoders', '0', 'MKSTREAM')
end
return answer({outcome = 'OK'})
