-- Takes one chunk into the journal and makes sure somebody will decode it. Only OK writes.
-- KEYS  call, track, audio, work, load, live, idle, feed, listen
-- ARGV  1 call id, 2 track, 3 seq ('' = next), 4 skip a gap (1/0), 5 encoding, 6 digest, 7 rate, 8 samples,
--       9 audio, 10 backlog limit in ms, 11 the same for one track, 12 most tracks a call, 13 longest gap,
--       14 seconds to be kept for listening (0: none, and what is there is dropped), 15 sender's name,
--       16 whether it may read (1/0)
-- Returns {outcome, seq, next_seq}; outcome is
--   OK      accepted                             DUP    already accepted (and equal, if it can still be compared)
--   OTHER   accepted before with other bytes     GAP    chunks before it are missing
--   BUSY    too much undecoded audio             CLOSED the sender has ended the call
--   RATE    the track has another sample rate    TRACKS the call has its most tracks already
--   FOREIGN another sender's call
local c = redis.call('HMGET', KEYS[1], 'state', 'sender')
local state, owner = c[1], c[2]
local t = redis.call('HMGET', KEYS[2], 'last', 'rate', 'samples', 'done_samples', 'tok', 'lease', 'owner', 'gaps')
local last = tonumber(t[1] or 0)
local seq = ARGV[3] == '' and last + 1 or tonumber(ARGV[3])

local function answer(outcome)
  return {outcome, string.format('%.0f', seq), string.format('%.0f', last + 1)}
end

if foreign(owner, ARGV[15], ARGV[16]) then return answer('FOREIGN') end
if seq <= last then
  local entry = redis.call('XRANGE', KEYS[3], ARGV[3] .. '-0', ARGV[3] .. '-0')[1]
  if entry then
    local fields = entry[2]
    for i = 1, #fields, 2 do
      if fields[i] == 'h' and fields[i + 1] ~= ARGV[6] then return answer('OTHER') end
    end
  end
  return answer('DUP')
end
if state and state ~= 'live' then return answer('CLOSED') end
if t[2] and t[2] ~= ARGV[7] then return answer('RATE') end
local missing = seq - last - 1
if missing > 0 and (ARGV[4] ~= '1' or missing > tonumber(ARGV[13])) then return answer('GAP') end

local rate, samples = tonumber(ARGV[7]), tonumber(ARGV[8])
local chunk_ms = math.floor(samples * 1000 / rate)
local waiting_ms = tonumber(redis.call('HGET', KEYS[5], 'audio_ms') or 0) + chunk_ms
local track_ms = (tonumber(t[3] or 0) - tonumber(t[4] or 0)) * 1000 / rate + chunk_ms
local limit_ms = tonumber(ARGV[10])
if last == 0 then limit_ms = limit_ms * 0.9 end -- new calls are refused before old ones
if waiting_ms > limit_ms or track_ms > tonumber(ARGV[11]) then return answer('BUSY') end

local tracks = state and redis.call('HGET', KEYS[1], 'tracks') or ''
local count, known = 0, false
for track in string.gmatch(tracks, '%S+') do
  count = count + 1
  if track == ARGV[2] then known = true end
end
if not known and count >= tonumber(ARGV[12]) then return answer('TRACKS') end

if not state then
  create_call(ARGV[1], ARGV[2], '{}', '')
elseif not known then
  redis.call('HSET', KEYS[1], 'tracks', tracks .. ' ' .. ARGV[2])
end
if owner ~= ARGV[15] then redis.call('HSET', KEYS[1], 'sender', ARGV[15]) end
if last == 0 then
  redis.call('HINCRBY', KEYS[1], 'open_tracks', 1)
  redis.call('HSET', KEYS[2], 'rate', ARGV[7], 'done', 0, 'done_samples', 0, 'utt', 1, 'uidx', 0, 'tries', 0,
    'tok', '', 'lease', '', 'owner', '', 'ver', '', 'partial', '')
end
-- A missing chunk is taken to be as long as the one that came instead: the clock must go on.
local from = tonumber(t[3] or 0) + missing * samples
local entry = {'a', ARGV[9], 'e', ARGV[5], 'h', ARGV[6], 'n', string.format('%.0f', from), 'm', ARGV[8], 't', now_ms()}
if missing > 0 then
  entry[#entry + 1] = 'g'
  entry[#entry + 1] = string.format('%.0f', last + 1)
  redis.call('HSET', KEYS[2], 'gaps', with_gap(t[8], last + 1, seq - 1))
end
local seq_text = string.format('%.0f', seq)
redis.call('XADD', KEYS[3], seq_text .. '-0', unpack(entry))
redis.call('HSET', KEYS[2], 'last', seq_text, 'samples', string.format('%.0f', from + samples))
redis.call('HINCRBY', KEYS[5], 'chunks', 1)
redis.call('HINCRBY', KEYS[5], 'audio_ms', chunk_ms)
redis.call('ZADD', KEYS[7], now_ms(), ARGV[1])
if (t[5] or '') == '' and (t[6] or '') == '' then
  dispatch(KEYS[2], ARGV[1], ARGV[2], t[7])
end
if ARGV[14] == '0' then
  redis.call('UNLINK', KEYS[9])
else
  local from_ms = math.floor(from * 1000 / rate)
  local oldest_ms = math.max(0, from_ms + chunk_ms - tonumber(ARGV[14]) * 1000)
  -- pcall: whatever is wrong with it, what is kept for listening never costs a chunk
  local kept = redis.pcall('XADD', KEYS[9], 'MINID', '~', string.format('%.0f', oldest_ms), string.format('%.0f-%s', from_ms, seq_text),
    'a', ARGV[9], 'e', ARGV[5], 'r', ARGV[7], 'm', ARGV[8], 'n', string.format('%.0f', from))
  if type(kept) == 'table' then redis.call('UNLINK', KEYS[9]) end
  redis.call('EXPIRE', KEYS[9], tonumber(ARGV[14]) + 60) -- a call that has ended, or hangs, is heard no longer
end
last = seq
return answer('OK')
