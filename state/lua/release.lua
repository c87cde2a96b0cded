-- Gives a lease back unused (shutdown): the try is not charged, the token goes to everybody.
-- KEYS  track, work
-- ARGV  lease, call id, track
-- Returns RELEASED | STALE (not under this lease any more)
local t = redis.call('HMGET', KEYS[1], 'lease', 'tok')
if t[1] ~= ARGV[1] then return 'STALE' end
drop(t[2])
redis.call('HSET', KEYS[1], 'lease', '')
redis.call('HINCRBY', KEYS[1], 'tries', -1)
dispatch(KEYS[1], ARGV[2], ARGV[3], '')
return 'RELEASED'
