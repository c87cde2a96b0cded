-- Functions that several scripts share. state/server/scripts.py puts them into each script that uses them, after the
-- locals from the script's head: key `call` is call_key, field `call_id` is call_id. Each function names the keys and
-- fields that it uses. A script that calls it has them in its head (tests/unit/store/test_script_heads.py checks that).
local PREFIX = string.match(KEYS[1], '^%b{}:') -- of the shard. Keys whose names the store holds begin with it, too.
local FEED_EVENTS = 20000 -- as events.FEED_EVENTS
local FOR_EVER_MS = 9e15 -- a moment that never comes
local DEAD_LETTERS = 1000 -- kept for inspection: 16 MB of one-second chunks

-- A script's answer: a map.
local function answer(map)
  return cmsgpack.pack(map)
end

-- A whole number as text. Lua itself would write 1.7e+12.
local function whole(number)
  return string.format('%.0f', number)
end

-- The time by the fleet's one clock, the server's, in ms.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Tells the pages an event. `way`: what a trace goes on from, or nil.
-- KEYS  feed
local function say(json, way)
  if way then
    redis.call('XADD', feed_key, 'MAXLEN', '~', FEED_EVENTS, '*', 'j', json, 'w', way)
  else
    redis.call('XADD', feed_key, 'MAXLEN', '~', FEED_EVENTS, '*', 'j', json)
  end
end

-- Tells the pages how the call is now.
-- KEYS  call, feed   FIELDS  call_id
local function say_call()
  local state, started, ended, metadata, reason =
    unpack(redis.call('HMGET', call_key, 'state', 'started_at_ms', 'ended_at_ms', 'metadata', 'end_reason'))
  say('{"kind":"call","call_id":' .. cjson.encode(call_id) .. ',"state":"' .. state .. '","started_at_ms":' .. started
    .. ',"ended_at_ms":' .. (ended or 'null') .. ',"metadata":' .. metadata
    .. ',"end_reason":' .. (reason and '"' .. reason .. '"' or 'null') .. '}')
end

-- Begins a call and tells the pages.
-- KEYS  call, live, idle, feed   FIELDS  call_id
local function create_call(tracks, metadata, digest)
  local now = now_ms()
  redis.call('HSET', call_key, 'state', 'live', 'started_at_ms', now, 'tracks', tracks, 'metadata', metadata,
    'digest', digest, 'open_tracks', 0, 'unscored', 0)
  redis.call('ZADD', live_key, 0, call_id)
  redis.call('ZADD', idle_key, now, call_id)
  say_call()
end

-- The key of the hash of a track of the call.
-- FIELDS  call_id
local function key_of_track(name)
  return PREFIX .. 'track:' .. call_id .. ':' .. name
end

-- Whether the sender may not touch a call whose audio is `owner`'s (false: no audio yet). See types.Sender.
-- FIELDS  sender, sender_reads
local function foreign(owner)
  return owner and owner ~= sender and not sender_reads
end

-- Drops a token's entry from whichever stream has it.
local function drop(token)
  local bar = string.find(token, '|', 1, true)
  if not bar then return end
  local stream, id = string.sub(token, 1, bar - 1), string.sub(token, bar + 1)
  redis.call('XACK', stream, 'decoders', id)
  redis.call('XDEL', stream, id)
end

-- Issues a track's one token: to `owner`, which is warm for the track, if that has a heartbeat; else to everybody.
-- Returns the token's name. The caller puts it into the track's hash.
-- KEYS  work   FIELDS  call_id
local function issue(track_name, owner)
  local stream = work_key
  if owner and owner ~= '' and redis.call('EXISTS', PREFIX .. 'worker:' .. owner) == 1 then
    stream = PREFIX .. 'work:' .. owner
  end
  return stream .. '|' .. redis.call('XADD', stream, '*', 'c', call_id, 't', track_name)
end

-- A track's list of gaps (JSON; false: none yet) with one more. It only adds text at the end: reading a long list for
-- every chunk held the server up.
local function with_gap(gaps, first, last)
  return (gaps and string.sub(gaps, 1, -2) .. ',' or '[') .. string.format('[%.0f,%.0f]]', first, last)
end

-- Stores masked utterances in place of the old ones, and tells the pages of those that look different now. `masked`
-- (nil: nothing is masked) has two lists: store, of {id, utterance}; and tell, of {id, utterance (without its list of
-- words), event}. Nothing that has expired meanwhile comes back.
-- KEYS  call, utterances, feed
local function redact(masked)
  if not masked then return end
  for _, one in ipairs(masked.store) do
    if redis.call('HEXISTS', utterances_key, one.id) == 1 then
      redis.call('HSET', utterances_key, one.id, one.utterance)
    end
  end
  local last = redis.call('HGET', call_key, 'last')
  local last_id = last and cmsgpack.unpack(last).id
  for _, one in ipairs(masked.tell) do
    if one.id == last_id then redis.call('HSET', call_key, 'last', one.utterance) end
    say(one.event)
  end
end

-- Ends a call whose sender has finished, if nothing of it waits any more. Returns whether the call ended now.
-- KEYS  call, utterances, scores, kept, live, ended, retained, unsummarised, feed   FIELDS  call_id, retention_seconds
local function end_if_done()
  local state, open_tracks, unscored, tracks =
    unpack(redis.call('HMGET', call_key, 'state', 'open_tracks', 'unscored', 'tracks'))
  if state ~= 'ending' or tonumber(open_tracks) > 0 or tonumber(unscored) > 0 then return false end
  local now = now_ms()
  local attention = redis.call('ZSCORE', live_key, call_id) or '0'
  redis.call('HSET', call_key, 'state', 'ended', 'ended_at_ms', now)
  redis.call('ZREM', live_key, call_id)
  redis.call('ZADD', ended_key, attention, call_id)
  redis.call('ZADD', retained_key, now, call_id)
  redis.call('SADD', unsummarised_key, call_id)
  redis.call('UNLINK', kept_key)
  for _, key in ipairs({call_key, utterances_key, scores_key}) do redis.call('EXPIRE', key, retention_seconds) end
  for track in string.gmatch(tracks, '%S+') do redis.call('EXPIRE', key_of_track(track), retention_seconds) end
  say_call()
  return true
end
