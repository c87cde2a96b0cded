-- A socket says that it lives and which tracks of a call it sends; the newest socket to take a track has it.
-- KEYS  call, streams, streaming
-- ARGV  call id, the socket's name, how long it may be gone (ms), takes tracks from others (1/0), sender's name,
--       whether it may read (1/0), tracks...
-- Returns {outcome, then last, samples, rate ('' if none) of each track}; outcome is HELD, TAKEN (another socket
-- has taken one of its tracks), FOREIGN (another sender's call) or CLOSED (the call has ended). Only HELD writes.
local c = redis.call('HMGET', KEYS[1], 'state', 'sender')
local state = c[1]
if foreign(c[2], ARGV[5], ARGV[6]) then return {'FOREIGN'} end
if state and state ~= 'live' then return {'CLOSED'} end
if redis.call('HGET', KEYS[2], 's:' .. ARGV[2]) == '0' then return {'TAKEN'} end
for i = 7, #ARGV do
  local owner = redis.call('HGET', KEYS[2], 't:' .. ARGV[i])
  if owner and owner ~= ARGV[2] then
    if ARGV[4] ~= '1' then return {'TAKEN'} end
    redis.call('HSET', KEYS[2], 's:' .. owner, 0) -- for good, even if we are done before it notices
  end
end
local until_ms = string.format('%.0f', tonumber(now_ms()) + tonumber(ARGV[3]))
redis.call('HSET', KEYS[2], 's:' .. ARGV[2], until_ms)
redis.call('ZADD', KEYS[3], until_ms, ARGV[1])
if state and not c[2] and ARGV[7] then redis.call('HSET', KEYS[1], 'sender', ARGV[5]) end
local answer = {'HELD'}
for i = 7, #ARGV do
  redis.call('HSET', KEYS[2], 't:' .. ARGV[i], ARGV[2])
  local t = redis.call('HMGET', PREFIX .. 'track:' .. ARGV[1] .. ':' .. ARGV[i], 'last', 'samples', 'rate')
  answer[#answer + 1] = t[1] or '0'
  answer[#answer + 1] = t[2] or '0'
  answer[#answer + 1] = t[3] or ''
end
redis.call('EXPIRE', KEYS[2], 86400) -- a call without a socket for a day is over by any other rule
return answer
