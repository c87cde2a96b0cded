-- Puts a track's token back on the shared stream, so that any decoder may take it.
--
-- KEYS    track, work
-- FIELDS  call_id, track, token
--         force              also from under a lease: its holder is dead or stalled
--         forgive            at most so many times in a row a try is given back; 0: it stays charged
-- ANSWER  outcome
--         MOVED
--         STALE   not the live token: it is dropped
--         LEASED  somebody is at work on it
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
