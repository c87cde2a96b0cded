-- A socket is done with its call: its protocol said so.
-- KEYS  streams
-- ARGV  the socket's name
-- Returns LAST if no other socket is at the call, else OTHERS. The call stays due to be ended (zset streaming), so
-- that somebody ends it even if the one who asked dies before he does.
redis.call('HDEL', KEYS[1], 's:' .. ARGV[1])
local now, all = tonumber(now_ms()), redis.call('HGETALL', KEYS[1])
local others = false
for i = 1, #all, 2 do
  local kind = string.sub(all[i], 1, 2)
  if kind == 't:' and all[i + 1] == ARGV[1] then
    redis.call('HDEL', KEYS[1], all[i])
  elseif kind == 's:' and tonumber(all[i + 1]) > now then
    others = true
  end
end
return others and 'OTHERS' or 'LAST'
