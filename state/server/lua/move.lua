-- Puts a track's token back on the shared stream, so that any decoder may take it.
--
-- KEYS    track, work
-- FIELDS  call_id, track, token
--         force              move it even if somebody holds the lease: the holder is dead or stalled
--         forgive            most tries in a row that are given back; 0: the try counts
-- ANSWER  outcome
--         MOVED
--         STALE   it is not the live token, so it is dropped
--         LEASED  somebody holds the lease
-- WRITES  with MOVED and STALE

local live_token, lease, forgiven = unpack(redis.call('HMGET', track_key, 'token', 'lease', 'forgiven'))
if live_token ~= token then
  drop(token)
  return answer({outcome = 'STALE'})
end
if lease ~= '' and not force then return answer({outcome = 'LEASED'}) end
drop(token)
if lease ~= '' and tonumber(forgiven or 0) < forgive then
  redis.call('HINCRBY', track_key, 'tries', -1)
  redis.call('HINCRBY', track_key, 'forgiven', 1)
end
redis.call('HSET', track_key, 'lease', '', 'token', issue(track))
return answer({outcome = 'MOVED'})
