-- The sender has finished: every track gets a token, so that a decoder flushes its open utterance.
-- KEYS  call, live, idle, feed, work, streaming, streams
-- ARGV  call id, retention in seconds, reason (see types.EndReason), only if idle since (ms, '' = always),
--       only if no socket was at it since (ms, '' = always), sender's name, whether it may read (1/0), the socket over
--       which the sender says so ('': none), then track and number of its last chunk, for those tracks of which the
--       sender says it
-- Returns ENDING | SAME (ending or ended already) | UNKNOWN | ACTIVE (a chunk came since, or a socket is at it)
--       | FOREIGN (another sender's call) | OTHERS (the socket is done with the call, but others are at it)
--       | {'SHORT', track, next_seq} (chunks that the sender has posted are not there: nothing is written)
-- A socket is struck off and the call ended in one step: a socket that comes meanwhile is either seen here or told that
-- the call has ended.
local c = redis.call('HMGET', KEYS[1], 'state', 'sender')
local state = c[1]
if not state then
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('ZREM', KEYS[6], ARGV[1])
  return 'UNKNOWN'
end
if foreign(c[2], ARGV[6], ARGV[7]) then return 'FOREIGN' end
if state ~= 'live' then
  redis.call('ZREM', KEYS[6], ARGV[1])
  return 'SAME'
end
if ARGV[4] ~= '' and tonumber(redis.call('ZSCORE', KEYS[3], ARGV[1]) or 0) > tonumber(ARGV[4]) then return 'ACTIVE' end
if ARGV[5] ~= '' and tonumber(redis.call('ZSCORE', KEYS[6], ARGV[1]) or 0) > tonumber(ARGV[5]) then return 'ACTIVE' end
if ARGV[8] ~= '' then
  redis.call('HDEL', KEYS[7], 's:' .. ARGV[8])
  local now, all = tonumber(now_ms()), redis.call('HGETALL', KEYS[7])
  local others = false
  for i = 1, #all, 2 do
    local kind = string.sub(all[i], 1, 2)
    if kind == 't:' and all[i + 1] == ARGV[8] then
      redis.call('HDEL', KEYS[7], all[i])
    elseif kind == 's:' and tonumber(all[i + 1]) > now then
      others = true
    end
  end
  if others then return 'OTHERS' end
end
for n = 9, #ARGV, 2 do
  local last = redis.call('HGET', PREFIX .. 'track:' .. ARGV[1] .. ':' .. ARGV[n], 'last') or '0'
  if tonumber(last) < tonumber(ARGV[n + 1]) then
    return {'SHORT', ARGV[n], string.format('%.0f', tonumber(last) + 1)}
  end
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('DEL', KEYS[7])
redis.call('HSET', KEYS[1], 'state', 'ending', 'end_reason', ARGV[3])
for track in string.gmatch(redis.call('HGET', KEYS[1], 'tracks'), '%S+') do
  local key = PREFIX .. 'track:' .. ARGV[1] .. ':' .. track
  local t = redis.call('HMGET', key, 'last', 'tok', 'lease', 'owner')
  if t[1] then
    redis.call('HSET', key, 'closed', 1)
    if t[2] == '' and t[3] == '' then dispatch(key, ARGV[1], track, t[4]) end
  end
end
if not end_if_done(ARGV[1], tonumber(ARGV[2])) then say_call(ARGV[1]) end
return 'ENDING'
