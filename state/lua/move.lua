-- Puts a track's token back on the shared stream, so that any decoder may take it.
-- KEYS  track, work
-- ARGV  token, call id, track, 1 = even from under a lease (its holder is dead or stalled), 0 = only if unopened,
--       how often in a row the try may be given back ('0' = it stays charged)
-- Returns MOVED | STALE (not the live token: dropped) | LEASED (nothing written)
local t = redis.call('HMGET', KEYS[1], 'tok', 'lease', 'forgiven')
if t[1] ~= ARGV[1] then
  drop(ARGV[1])
  return 'STALE'
end
if t[2] ~= '' and ARGV[4] ~= '1' then return 'LEASED' end
drop(ARGV[1])
if t[2] ~= '' and tonumber(t[3] or 0) < tonumber(ARGV[5]) then
  redis.call('HINCRBY', KEYS[1], 'tries', -1)
  redis.call('HINCRBY', KEYS[1], 'forgiven', 1)
end
redis.call('HSET', KEYS[1], 'lease', '')
dispatch(KEYS[1], ARGV[2], ARGV[3], '')
return 'MOVED'
