-- Removes a decoder that has no heartbeat and holds no token. Its group entry would take pending tokens along.
-- KEYS  workers, work, the worker's own stream, its heartbeat
-- ARGV  worker
-- Returns BURIED | ALIVE | HOLDS (move its tokens first); only BURIED writes
if redis.call('EXISTS', KEYS[4]) == 1 then return 'ALIVE' end
if redis.call('XLEN', KEYS[3]) > 0 then return 'HOLDS' end
local group = redis.call('EXISTS', KEYS[2]) == 1 and #redis.call('XINFO', 'GROUPS', KEYS[2]) > 0
if group and #redis.call('XPENDING', KEYS[2], 'decoders', '-', '+', 1, ARGV[1]) > 0 then return 'HOLDS' end
redis.call('DEL', KEYS[3]) -- frees first: Redis 6 refuses XGROUP as the first write while memory is full
if group then redis.call('XGROUP', 'DELCONSUMER', KEYS[2], 'decoders', ARGV[1]) end
redis.call('SREM', KEYS[1], ARGV[1])
return 'BURIED'
