-- Notes that a socket lives, and which tracks of a call it sends. The newest socket to take a track has it.
--
-- KEYS    call, streams, streaming
-- FIELDS  call_id
--         socket             the socket's name
--         grace_ms           ms for which it may be gone
--         tracks             list of names
--         take_over          it takes tracks from other sockets
--         sender             the sender's name
--         sender_reads       the sender may read every call: see types.Sender
-- ANSWER  outcome
--         places?            list of {last_seq, samples, rate?}, in the order of `tracks`
--         HELD     the socket is at the call
--         TAKEN    another socket has taken one of its tracks
--         FOREIGN  another sender's call
--         CLOSED   the call has ended
-- WRITES  with HELD

local state, owner = unpack(redis.call('HMGET', call_key, 'state', 'sender'))
if foreign(owner) then return answer({outcome = 'FOREIGN'}) end
if state and state ~= 'live' then return answer({outcome = 'CLOSED'}) end
if redis.call('HGET', streams_key, 's:' .. socket) == '0' then return answer({outcome = 'TAKEN'}) end
local replaced = {}
for _, track in ipairs(tracks) do
  local other = redis.call('HGET', streams_key, 't:' .. track)
  if other and other ~= socket then
    if not take_over then return answer({outcome = 'TAKEN'}) end
    replaced[#replaced + 1] = other
  end
end
for _, other in ipairs(replaced) do
  redis.call('HSET', streams_key, 's:' .. other, 0) -- for good, even if this socket is done before that one notices
end
local until_ms = now_ms() + grace_ms
redis.call('HSET', streams_key, 's:' .. socket, until_ms)
redis.call('ZADD', streaming_key, until_ms, call_id)
if state and not owner and tracks[1] then redis.call('HSET', call_key, 'sender', sender) end
local places = {}
for n, track in ipairs(tracks) do
  redis.call('HSET', streams_key, 't:' .. track, socket)
  local last_seq, samples, rate = unpack(redis.call('HMGET', key_of_track(track), 'last_seq', 'samples', 'rate'))
  places[n] = {last_seq = tonumber(last_seq or 0), samples = tonumber(samples or 0), rate = rate and tonumber(rate) or nil}
end
redis.call('EXPIRE', streams_key, 86400) -- after a day without a socket every other rule has ended the call
return answer({outcome = 'HELD', places = places})
