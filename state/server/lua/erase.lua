-- Erases a whole call: its words, its sound, and its id in every list. Audio that waits for a decoder is lost.
--
-- KEYS    call, utterances, scores, streams, live, ended, idle, streaming, retained, unsummarised, unarchived, unassembled,
--         spooling, load, feed
-- FIELDS  call_id
--         before_ms?   erase only if nothing has happened to the call since
--         archived?    erase an ended call only if the database has it
-- ANSWER  outcome
--         ERASED
--         YOUNG   something has happened since, or a socket is at the call
--         KEPT    the database lacks the call, or its recording still lies in parts
-- WRITES  with ERASED; with KEPT, if the database lacks the call, it puts the call on the list of such calls

if before_ms then
  for _, list in ipairs({idle_key, retained_key}) do
    if tonumber(redis.call('ZSCORE', list, call_id) or 0) > before_ms then return answer({outcome = 'YOUNG'}) end
  end
  if tonumber(redis.call('ZSCORE', streaming_key, call_id) or 0) > now_ms() then return answer({outcome = 'YOUNG'}) end
end
local state, tracks, started, has = unpack(redis.call('HMGET', call_key, 'state', 'tracks', 'started_at_ms', 'archived'))
if archived and state == 'ended' and (not has or redis.call('SISMEMBER', unarchived_key, call_id) == 1) then
  redis.call('SADD', unarchived_key, call_id)
  return answer({outcome = 'KEPT'})
end
if archived and redis.call('SISMEMBER', unassembled_key, call_id) == 1 then return answer({outcome = 'KEPT'}) end
for _, list in ipairs({live_key, ended_key, idle_key, streaming_key, retained_key, spooling_key}) do
  redis.call('ZREM', list, call_id) -- frees first: see open.lua
end
redis.call('SREM', unsummarised_key, call_id)
redis.call('SREM', unarchived_key, call_id)
redis.call('SREM', unassembled_key, call_id)
redis.call('UNLINK', call_key, utterances_key, scores_key, streams_key)
for track in string.gmatch(tracks or '', '%S+') do
  local key = key_of_track(track)
  local journal = PREFIX .. 'audio:' .. call_id .. ':' .. track
  local token, done_seq, rate = unpack(redis.call('HMGET', key, 'token', 'done_seq', 'rate'))
  if token then drop(token) end
  local after, chunks, waiting_ms, waiting_bytes = '(' .. (done_seq or 0) .. '-0', 0, 0, 0
  while true do
    local entries = redis.call('XRANGE', journal, after, '+', 'COUNT', 100)
    if #entries == 0 then break end
    for _, entry in ipairs(entries) do
      for i = 1, #entry[2], 2 do
        local name, value = entry[2][i], entry[2][i + 1]
        if name == 'm' then waiting_ms = waiting_ms + math.floor(value * 1000 / rate) end
        if name == 'a' then waiting_bytes = waiting_bytes + #value end
      end
      chunks, after = chunks + 1, '(' .. entry[1]
    end
  end
  redis.call('UNLINK', key, journal, PREFIX .. 'listen:' .. call_id .. ':' .. track)
  if chunks > 0 then
    redis.call('HINCRBY', load_key, 'chunks', -chunks)
    redis.call('HINCRBY', load_key, 'audio_ms', whole(0 - waiting_ms))
    redis.call('HINCRBY', load_key, 'audio_bytes', whole(0 - waiting_bytes))
  end
end
if state == 'live' or state == 'ending' then -- the pages show it: tell them to forget its metadata
  say('{"kind":"call","call_id":' .. cjson.encode(call_id) .. ',"state":"ended","started_at_ms":' .. started
    .. ',"ended_at_ms":' .. whole(now_ms()) .. ',"metadata":{},"end_reason":"idle"}')
end
return answer({outcome = 'ERASED'})
