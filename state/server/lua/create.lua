-- Declares a call. If its first chunk has begun the call already, the first declaration describes it.
--
-- KEYS    call, live, idle, load, feed
-- FIELDS  call_id
--         tracks             their names, with spaces between
--         metadata           JSON
--         digest             of the declaration: tells one declaration from another
--         sender             the sender's name
--         sender_reads       the sender may read every call: see types.Sender
--         backlog_limit_ms, backlog_limit_bytes
--                            of undecoded audio; from nine tenths of either on, new calls get BUSY
--         live_limit         calls that may be live or ending
--         records            the call is to be recorded
-- ANSWER  outcome
--         CREATED  declared now
--         SAME     declared before, in the same way
--         DIFFERS  declared before, in another way; or by another sender: one that may not read must not guess how
--         FOREIGN  the call has another sender's audio
--         BUSY     too much audio waits to be decoded, or too many calls are live
-- WRITES  with CREATED

local state, known_digest, known_tracks, owner, declarer =
  unpack(redis.call('HMGET', call_key, 'state', 'digest', 'tracks', 'sender', 'declarer'))
if not state then
  local waiting_ms, waiting_bytes = unpack(redis.call('HMGET', load_key, 'audio_ms', 'audio_bytes'))
  if tonumber(waiting_ms or 0) >= backlog_limit_ms * 0.9 or tonumber(waiting_bytes or 0) >= backlog_limit_bytes * 0.9
    or redis.call('ZCARD', live_key) >= live_limit then
    return answer({outcome = 'BUSY'})
  end
  create_call(tracks, metadata, digest)
  redis.call('HSET', call_key, 'declarer', sender)
  if records then redis.call('HSET', call_key, 'recorded', 1) end
  return answer({outcome = 'CREATED'})
end
if foreign(owner) then return answer({outcome = 'FOREIGN'}) end
if known_digest == digest and (declarer == sender or sender_reads) then return answer({outcome = 'SAME'}) end
if known_digest ~= '' then return answer({outcome = 'DIFFERS'}) end
local all, known = known_tracks, {}
for name in string.gmatch(known_tracks, '%S+') do known[name] = true end
for name in string.gmatch(tracks, '%S+') do
  if not known[name] then all = all .. ' ' .. name end
end
redis.call('HSET', call_key, 'tracks', all, 'metadata', metadata, 'digest', digest, 'declarer', sender)
if records then
  redis.call('HSET', call_key, 'recorded', 1)
elseif redis.call('HEXISTS', call_key, 'recorded') == 1 then -- its sound in the store is thrown away at the end
  redis.call('HSET', call_key, 'recorded', 0)
end
say_call()
return answer({outcome = 'CREATED'})
