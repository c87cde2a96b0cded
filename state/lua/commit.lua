-- All effects of one lease, at once: the state moves, finals and feed events go out, the journal is trimmed.
-- KEYS  1 track, 2 audio, 3 call, 4 utterances, 5 finals, 6 load, 7 feed, 8 dead, 9 work, 10 live
-- ARGV  1 lease, 2 done before, 3 done after, 4 utt after, 5 samples decoded after,
--       6 and 7 what to add to the load: minus chunks decoded, minus their audio in ms,
--       8 state, 9 partial, 10 uidx after, 11 call id, 12 track, 13 finish the track (1/0),
--       14 next token to everybody (1/0), 15 retention in seconds,
--       16 second in which the last of these finals ends ('' = none), 17 that final without its words,
--       then: count of finals, {id, utterance, 1 if it is to be scored} each; count of events, JSON each;
--       count of dead chunks, {seq, reason, encoding, audio} each
-- Returns OK | ENDED (and the call ended with it) | AGAIN (this commit was applied before) | STALE (not under
--       this lease any more). Only OK and ENDED write.
local t = redis.call('HMGET', KEYS[1], 'lease', 'done', 'ver', 'tok', 'last', 'closed', 'gaps')
if t[3] == ARGV[1] then return 'AGAIN' end
if t[1] ~= ARGV[1] or t[2] ~= ARGV[2] then return 'STALE' end
local call, track = ARGV[11], ARGV[12]
drop(t[4]) -- frees first: see open.lua
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[4] .. '-0')
redis.call('HSET', KEYS[1], 'done', ARGV[3], 'utt', ARGV[4], 'done_samples', ARGV[5], 'state', ARGV[8],
  'partial', ARGV[9], 'uidx', ARGV[10], 'ver', ARGV[1], 'lease', '', 'tok', '', 'tries', 0, 'forgiven', 0)
redis.call('HINCRBY', KEYS[6], 'chunks', ARGV[6])
redis.call('HINCRBY', KEYS[6], 'audio_ms', ARGV[7])

local at = 18
local function take()
  at = at + 1
  return ARGV[at - 1]
end
for _ = 1, tonumber(take()) do
  local id, utterance, scored = take(), take(), take()
  redis.call('HSET', KEYS[4], id, utterance)
  if scored == '1' then
    redis.call('XADD', KEYS[5], '*', 'c', call, 'i', id)
    redis.call('HINCRBY', KEYS[3], 'unscored', 1)
  end
end
if ARGV[16] ~= '' then -- what the table shows of a call: the utterance that ended last
  local last = redis.call('HMGET', KEYS[3], 'last_end', 'last_track')
  local ends, before = tonumber(ARGV[16]), tonumber(last[1] or -1)
  if ends > before or (ends == before and track >= last[2]) then
    redis.call('HSET', KEYS[3], 'last', ARGV[17], 'last_end', ARGV[16], 'last_track', track)
  end
end
for _ = 1, tonumber(take()) do say(take()) end
local gaps = t[7]
for _ = 1, tonumber(take()) do
  local seq, reason, encoding, audio = take(), take(), take(), take()
  redis.call('XADD', KEYS[8], 'MAXLEN', '~', DEAD_LETTERS, '*', 'c', call, 't', track, 'seq', seq,
    'r', redis.call('HGET', KEYS[1], 'rate'), 'reason', reason, 'e', encoding, 'a', audio)
  gaps = with_gap(gaps, seq, seq)
  redis.call('HSET', KEYS[1], 'gaps', gaps)
end

if ARGV[13] == '1' then
  redis.call('HSET', KEYS[1], 'finished', 1)
  redis.call('HDEL', KEYS[1], 'state')
  redis.call('DEL', KEYS[2])
  redis.call('HINCRBY', KEYS[3], 'open_tracks', -1)
  if end_if_done(call, tonumber(ARGV[15])) then return 'ENDED' end
elseif tonumber(t[5]) > tonumber(ARGV[3]) or t[6] == '1' then
  dispatch(KEYS[1], call, track, ARGV[14] == '0' and redis.call('HGET', KEYS[1], 'owner') or '')
end
return 'OK'
