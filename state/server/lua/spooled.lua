-- Notes that the store of recordings has a track's audio up to an entry of its listen stream. Redis may then drop it.
--
-- KEYS    call, track
-- FIELDS  call_id, track
--         upto     the entry's id
-- ANSWER  outcome
--         OK       noted
--         GONE     no such call: somebody has erased it
-- WRITES  with OK

if redis.call('EXISTS', call_key) == 0 or redis.call('EXISTS', track_key) == 0 then return answer({outcome = 'GONE'}) end
redis.call('HSET', track_key, 'spooled', upto)
return answer({outcome = 'OK'})
