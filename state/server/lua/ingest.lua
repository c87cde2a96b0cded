-- Takes one chunk into the journal and makes sure that a decoder will decode it.
--
-- KEYS    call, track, audio, listen, work, load, live, idle, spooling, feed
-- FIELDS  call_id, track
--         seq?               the chunk's number; without it, the next one
--         skip_gap           true: give up the missing chunks before it
--         encoding, digest, rate, samples
--         backlog_limit_ms, backlog_limit_bytes
--                            of undecoded audio; beyond either: BUSY
--         track_limit_ms     the same for this track alone
--         live_limit         most calls that may be live or ending; beyond it no new one begins
--         max_tracks         most tracks of a call
--         max_gap            most chunks that skip_gap bridges
--         listen_seconds     seconds of audio to keep for listening; 0: none, and it drops what is there
--         records            a call that begins with this chunk is to be recorded
--         record_seconds     most seconds of a recorded call's audio that wait here for the store of recordings
--         sender             the sender's name
--         sender_reads       the sender may read every call: see types.Sender
--         way?               what a trace goes on from
-- BESIDE  audio
-- ANSWER  outcome, seq, next_seq
--         OK       accepted
--         DUP      accepted before, with the same bytes if they are still there to compare
--         OTHER    accepted before, with other bytes
--         GAP      chunks before it are missing
--         BUSY     too much audio waits to be decoded, or too many calls are live
--         CLOSED   the sender has ended the call
--         RATE     the track has another sample rate
--         TRACKS   the call has as many tracks as it may have
--         FOREIGN  another sender's call
-- WRITES  with OK

local SPOOL_MS = 15000 -- ms from a recorded call's first chunk until its audio is due in the store of recordings

local state, tracks, owner, recorded, unrecorded_until, held, held_at = unpack(redis.call('HMGET', call_key, 'state',
  'tracks', 'sender', 'recorded', 'unrecorded_until_ms', 'held', 'held_at_ms'))
local last_seq, track_rate, track_samples, done_samples, token, lease, decoder, gaps, spooled = unpack(redis.call('HMGET',
  track_key, 'last_seq', 'rate', 'samples', 'done_samples', 'token', 'lease', 'owner', 'gaps', 'spooled'))
last_seq, track_samples = tonumber(last_seq or 0), tonumber(track_samples or 0)
seq = seq or last_seq + 1
local id = whole(seq) .. '-0'

local function say_so(outcome, next_seq)
  return answer({outcome = outcome, seq = seq, next_seq = next_seq or last_seq + 1})
end

if foreign(owner) then return say_so('FOREIGN') end
if seq <= last_seq then
  local kept = redis.call('XRANGE', audio_key, id, id)[1]
  if kept then
    local fields = kept[2]
    for i = 1, #fields, 2 do
      if fields[i] == 'h' and fields[i + 1] ~= digest then return say_so('OTHER') end
    end
  end
  return say_so('DUP')
end
if state and state ~= 'live' then return say_so('CLOSED') end
if track_rate and tonumber(track_rate) ~= rate then return say_so('RATE') end
local missing = seq - last_seq - 1
if missing > 0 and (not skip_gap or missing > max_gap) then return say_so('GAP') end

local chunk_ms = math.floor(samples * 1000 / rate)
local waiting_ms, waiting_bytes = unpack(redis.call('HMGET', load_key, 'audio_ms', 'audio_bytes'))
waiting_ms, waiting_bytes = tonumber(waiting_ms or 0) + chunk_ms, tonumber(waiting_bytes or 0) + #audio
local track_ms = (track_samples - tonumber(done_samples or 0)) * 1000 / rate + chunk_ms
local share = last_seq == 0 and 0.9 or 1 -- refuse new calls before old ones
if waiting_ms > backlog_limit_ms * share or waiting_bytes > backlog_limit_bytes * share
  or track_ms > track_limit_ms then return say_so('BUSY') end
if not state and redis.call('ZCARD', live_key) >= live_limit then return say_so('BUSY') end

local count, known = 0, false
for name in string.gmatch(tracks or '', '%S+') do
  count = count + 1
  if name == track then known = true end
end
if not known and count >= max_tracks then return say_so('TRACKS') end

if not state then
  create_call(track, '{}', '')
  if records then
    recorded = '1'
    redis.call('HSET', call_key, 'recorded', recorded)
  end
elseif not known then
  redis.call('HSET', call_key, 'tracks', tracks .. ' ' .. track)
end
if owner ~= sender then redis.call('HSET', call_key, 'sender', sender) end
if last_seq == 0 then
  redis.call('HINCRBY', call_key, 'open_tracks', 1)
  redis.call('HSET', track_key, 'rate', rate, 'done_seq', 0, 'done_samples', 0, 'open_seq', 1, 'final_count', 0,
    'tries', 0, 'token', '', 'lease', '', 'owner', '', 'committed', '', 'partial', '')
end
-- The clock must go on. So a missing chunk counts as long as the one that came instead.
local from = track_samples + missing * samples
local now = now_ms()
local entry = {'a', audio, 'e', encoding, 'h', digest, 'n', from, 'm', samples, 't', now}
if missing > 0 then
  entry[#entry + 1] = 'g'
  entry[#entry + 1] = last_seq + 1
  redis.call('HSET', track_key, 'gaps', with_gap(gaps, last_seq + 1, seq - 1))
end
-- A party that has put somebody on hold is not on the line. Music comes instead, or talk with others.
if held and held ~= '' and held ~= track and now - chunk_ms >= tonumber(held_at) then
  entry[#entry + 1] = 'q'
  entry[#entry + 1] = 1
end
if way then
  entry[#entry + 1] = 'w'
  entry[#entry + 1] = way
end
redis.call('XADD', audio_key, id, unpack(entry))
redis.call('HINCRBY', load_key, 'chunks', 1)
redis.call('HINCRBY', load_key, 'audio_ms', chunk_ms)
redis.call('HINCRBY', load_key, 'audio_bytes', #audio)
redis.call('ZADD', idle_key, now, call_id)
if (token or '') == '' and (lease or '') == '' then token = issue(track, decoder) end
redis.call('HSET', track_key, 'last_seq', seq, 'samples', from + samples, 'token', token)

recorded = recorded == '1'
if listen_seconds == 0 and not recorded then
  redis.call('UNLINK', listen_key)
else
  local from_ms = math.floor(from * 1000 / rate)
  local until_ms, seconds = from_ms + chunk_ms, listen_seconds
  local oldest_ms = until_ms - listen_seconds * 1000
  if recorded then -- audio that the store of recordings lacks stays, too, but not for ever
    local spooled_ms = tonumber(string.match(spooled or '', '^%d+') or 0)
    oldest_ms = math.max(math.min(oldest_ms, spooled_ms), until_ms - math.max(listen_seconds, record_seconds) * 1000)
    seconds = math.max(listen_seconds, record_seconds)
    redis.call('ZADD', spooling_key, 'NX', now + SPOOL_MS, call_id)
  end
  -- pcall: a fault in the audio kept for listening never costs a chunk
  local kept = redis.pcall('XADD', listen_key, 'MINID', '~', whole(math.max(0, oldest_ms)),
    whole(from_ms) .. '-' .. whole(seq), 'a', audio, 'e', encoding, 'r', rate, 'm', samples, 'n', from,
    -- A chunk that began before the recording went on still holds sound that the recording must not have.
    unpack(now - chunk_ms < tonumber(unrecorded_until or 0) and {'p', 1} or {}))
  if type(kept) == 'table' then redis.call('UNLINK', listen_key) end
  redis.call('EXPIRE', listen_key, seconds + 60) -- by then nobody listens to a call that has ended or hangs
end
return say_so('OK', seq + 1)
