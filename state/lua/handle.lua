-- Changes what supervisors make of a call, if it is still what the change was made from. The trail tells who did it.
-- KEYS  call, feed, audit
-- ARGV  1 handling before ('' = none yet), 2 handling after, 3 feed event (JSON), 4 deed (JSON), 5 deeds kept
-- Returns OK | CONFLICT (another change came between: look again; nothing written) | GONE (no such call)
local found = redis.call('HMGET', KEYS[1], 'state', 'handling')
if not found[1] then return 'GONE' end
if (found[2] or '') ~= ARGV[1] then return 'CONFLICT' end
redis.call('HSET', KEYS[1], 'handling', ARGV[2])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[5], '*', 'j', ARGV[4])
say(ARGV[3])
return 'OK'
