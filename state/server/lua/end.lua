-- Ends a call because its sender has finished. Every track gets a token, so that a decoder flushes its open utterance.
-- One step strikes off the socket and ends the call. So a socket that comes just then is seen here, or learns that the
-- call has ended.
--
-- KEYS    call, utterances, scores, kept, streams, work, live, idle, streaming, ended, retained, unsummarised, feed
-- FIELDS  call_id, retention_seconds
--         reason             types.EndReason
--         posted             list of {track, last_seq}: how many chunks the sender has posted, if it says so
--         sender             the sender's name
--         sender_reads       the sender may read every call: see types.Sender
--         socket?            the socket that says goodbye
--         idle_before_ms?    end only if no chunk came since
--         gone_before_ms?    end only if no socket was at the call since
-- ANSWER  outcome, track?, next_seq?, left?
--         ENDING   the call ends now, or this ended it
--         SAME     the call is ending or has ended already
--         UNKNOWN  no such call
--         ACTIVE   a chunk came since, or a socket was at the call
--         FOREIGN  another sender's call
--         OTHERS   the socket is done with the call, but others are at it; it sent the tracks `left`
--         SHORT    chunks that the sender has posted are missing: `track` lacks chunk `next_seq`
-- WRITES  with ENDING; OTHERS and SHORT strike the socket off, SAME and UNKNOWN take the call off lists of live calls

local state, owner = unpack(redis.call('HMGET', call_key, 'state', 'sender'))
if not state then
  redis.call('ZREM', idle_key, call_id)
  redis.call('ZREM', streaming_key, call_id)
  return answer({outcome = 'UNKNOWN'})
end
if foreign(owner) then return answer({outcome = 'FOREIGN'}) end
if state ~= 'live' then
  redis.call('ZREM', streaming_key, call_id)
  return answer({outcome = 'SAME'})
end
local function later(key, than_ms)
  return than_ms and tonumber(redis.call('ZSCORE', key, call_id) or 0) > than_ms
end
if later(idle_key, idle_before_ms) or later(streaming_key, gone_before_ms) then
  return answer({outcome = 'ACTIVE'})
end
if socket then
  redis.call('HDEL', streams_key, 's:' .. socket)
  local now, all = now_ms(), redis.call('HGETALL', streams_key)
  local others, left = false, {}
  for i = 1, #all, 2 do
    local kind = string.sub(all[i], 1, 2)
    if kind == 't:' and all[i + 1] == socket then
      redis.call('HDEL', streams_key, all[i])
      left[#left + 1] = string.sub(all[i], 3)
    elseif kind == 's:' and tonumber(all[i + 1]) > now then
      others = true
    end
  end
  if others then return answer({outcome = 'OTHERS', left = left[1] and left}) end
end
for _, one in ipairs(posted) do
  local last_seq = tonumber(redis.call('HGET', key_of_track(one.track), 'last_seq') or 0)
  if last_seq < one.last_seq then return answer({outcome = 'SHORT', track = one.track, next_seq = last_seq + 1}) end
end

redis.call('ZREM', idle_key, call_id)
redis.call('ZREM', streaming_key, call_id)
redis.call('DEL', streams_key)
redis.call('HSET', call_key, 'state', 'ending', 'end_reason', reason)
redis.call('ZADD', retained_key, now_ms(), call_id)
for name in string.gmatch(redis.call('HGET', call_key, 'tracks'), '%S+') do
  local key = key_of_track(name)
  local last_seq, token, lease, decoder = unpack(redis.call('HMGET', key, 'last_seq', 'token', 'lease', 'owner'))
  if last_seq then
    if token == '' and lease == '' then token = issue(name, decoder) end
    redis.call('HSET', key, 'closed', 1, 'token', token)
  end
end
if not end_if_done() then say_call() end
return answer({outcome = 'ENDING'})
