-- Gives a lease back unused, at shutdown. The try does not count. The token goes to everybody.
--
-- KEYS    track, work
-- FIELDS  call_id, track, lease
-- ANSWER  outcome
--         RELEASED
--         STALE  the lease is gone
-- WRITES  with RELEASED

local live_lease, token = unpack(redis.call('HMGET', track_key, 'lease', 'token'))
if live_lease ~= lease then return answer({outcome = 'STALE'}) end
drop(token)
redis.call('HINCRBY', track_key, 'tries', -1)
redis.call('HSET', track_key, 'lease', '', 'token', issue(track))
return answer({outcome = 'RELEASED'})
