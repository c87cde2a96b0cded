-- Prelude of every script: put in front of it by state/scripts.py. Keys are described in state/keys.py.
local PREFIX = '{earshot}:'
local FEED_EVENTS = 20000 -- as events.FEED_EVENTS
local DEAD_LETTERS = 1000 -- kept for inspection: 16 MB of one-second chunks
local RETENTION_BATCH = 20 -- old calls forgotten at most per ended call

-- One clock for the whole fleet: the server's. Milliseconds, as a string (a Lua number would print as 1.7e+12).
local function now_ms()
  local t = redis.call('TIME')
  return string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end

local function say(json)
  redis.call('XADD', PREFIX .. 'feed', 'MAXLEN', '~', FEED_EVENTS, '*', 'j', json)
end

-- Tells the pages what a call is now.
local function say_call(call)
  local c = redis.call('HMGET', PREFIX .. 'call:' .. call, 'state', 'started_at_ms', 'ended_at_ms', 'metadata',
    'end_reason')
  say('{"kind":"call","call_id":' .. cjson.encode(call) .. ',"state":"' .. c[1] .. '","started_at_ms":' .. c[2]
    .. ',"ended_at_ms":' .. (c[3] or 'null') .. ',"metadata":' .. c[4]
    .. ',"end_reason":' .. (c[5] and '"' .. c[5] .. '"' or 'null') .. '}')
end

local function create_call(call, tracks, metadata, digest)
  local now = now_ms()
  redis.call('HSET', PREFIX .. 'call:' .. call, 'state', 'live', 'started_at_ms', now, 'tracks', tracks,
    'metadata', metadata, 'digest', digest, 'open_tracks', 0, 'unscored', 0)
  redis.call('ZADD', PREFIX .. 'live', 0, call)
  redis.call('ZADD', PREFIX .. 'idle', now, call)
  say_call(call)
end

-- Whether a call with audio of `owner` (false: none yet) is closed to a sender; reads is '1' if the sender may read
-- every call (types.Sender).
local function foreign(owner, sender, reads)
  return owner and owner ~= sender and reads ~= '1'
end

-- Drops a token's stream entry, wherever it stands.
local function drop(tok)
  local bar = string.find(tok, '|', 1, true)
  if not bar then return end
  local stream, id = string.sub(tok, 1, bar - 1), string.sub(tok, bar + 1)
  redis.call('XACK', stream, 'decoders', id)
  redis.call('XDEL', stream, id)
end

-- Issues the track's one token: to `owner`, who is warm for it, while its heart beats, else to everybody.
local function dispatch(key, call, track, owner)
  local stream = PREFIX .. 'work'
  if owner and owner ~= '' and redis.call('EXISTS', PREFIX .. 'worker:' .. owner) == 1 then
    stream = PREFIX .. 'work:' .. owner
  end
  local id = redis.call('XADD', stream, '*', 'c', call, 't', track)
  redis.call('HSET', key, 'tok', stream .. '|' .. id)
end

-- A track's list of gaps (JSON; false: none yet) with one more. Put at its end as text: reading all of a long one for
-- every chunk held the server up.
local function with_gap(gaps, first, last)
  return (gaps and string.sub(gaps, 1, -2) .. ',' or '[') .. string.format('[%.0f,%.0f]]', first, last)
end

-- Puts masked utterances in the place of what was stored, and tells the pages of those that look otherwise now.
-- From ARGV[at] on: count of utterances to be stored, {id, utterance} each; count of those that look otherwise,
-- {id, utterance without words, feed event (JSON)} each. Nothing that has expired meanwhile comes back.
local function redact(call_key, utterances_key, at)
  if not ARGV[at] then return end
  local count = tonumber(ARGV[at])
  for _ = 1, count do
    local id, utterance = ARGV[at + 1], ARGV[at + 2]
    if redis.call('HEXISTS', utterances_key, id) == 1 then redis.call('HSET', utterances_key, id, utterance) end
    at = at + 2
  end
  at = at + 1
  local last = redis.call('HGET', call_key, 'last')
  local last_id = last and cmsgpack.unpack(last).id
  for _ = 1, tonumber(ARGV[at]) do
    local id, utterance, event = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    if id == last_id then redis.call('HSET', call_key, 'last', utterance) end
    say(event)
    at = at + 3
  end
end

-- Ends a call whose sender has finished as soon as nothing is outstanding. Returns whether it ended now.
local function end_if_done(call, retention_seconds)
  local key = PREFIX .. 'call:' .. call
  local c = redis.call('HMGET', key, 'state', 'open_tracks', 'unscored', 'tracks')
  if c[1] ~= 'ending' or tonumber(c[2]) > 0 or tonumber(c[3]) > 0 then return false end
  local now = now_ms()
  local attention = redis.call('ZSCORE', PREFIX .. 'live', call) or '0'
  redis.call('HSET', key, 'state', 'ended', 'ended_at_ms', now)
  redis.call('ZREM', PREFIX .. 'live', call)
  redis.call('ZADD', PREFIX .. 'ended', attention, call)
  redis.call('ZADD', PREFIX .. 'retained', now, call)
  redis.call('SADD', PREFIX .. 'unsummarised', call)
  redis.call('EXPIRE', key, retention_seconds)
  redis.call('EXPIRE', PREFIX .. 'utterances:' .. call, retention_seconds)
  redis.call('EXPIRE', PREFIX .. 'scores:' .. call, retention_seconds)
  for track in string.gmatch(c[4], '%S+') do
    redis.call('EXPIRE', PREFIX .. 'track:' .. call .. ':' .. track, retention_seconds)
  end
  local before = string.format('%.0f', tonumber(now) - retention_seconds * 1000)
  local old = redis.call('ZRANGEBYSCORE', PREFIX .. 'retained', '-inf', before, 'LIMIT', 0, RETENTION_BATCH)
  for _, gone in ipairs(old) do
    redis.call('ZREM', PREFIX .. 'retained', gone)
    redis.call('ZREM', PREFIX .. 'ended', gone)
    redis.call('SREM', PREFIX .. 'unsummarised', gone)
  end
  say_call(call)
  return true
end
