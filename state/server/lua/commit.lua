-- Applies all that one lease has done, at once: moves the state on, sends finals and feed events, trims the journal.
--
-- KEYS    call, track, audio, utterances, scores, kept, finals, work, load, live, ended, retained, unsummarised, dead, feed
-- FIELDS  call_id, track, retention_seconds
--         lease
--         base_seq           done_seq as it was when the lease began
--         done_seq, done_samples, open_seq, final_count, partial
--                            as they are after the lease
--         wordless           a voice gives no words
--         chunks, audio_ms, audio_bytes
--                            what the lease decoded, so it waits no longer
--         finals             list of {id, utterance, scored}; scored: it needs a score
--         last?              the one of them that ended last, as it may be shown, without its list of words
--         last_end?          the second in which it ended
--         events             list of JSON
--         dead_chunks        list of {seq, reason, encoding}
--         finish             the track has no more to say
--         to_everybody       the next token is not for this decoder
--         way?               what a trace goes on from
-- BESIDE  state, dead_audio...
-- ANSWER  outcome
--         OK     applied
--         ENDED  applied, and this ended the call
--         AGAIN  applied before
--         STALE  the lease is gone
-- WRITES  with OK and ENDED

local live_lease, live_done_seq, committed, token, last_seq, closed, gaps, owner = unpack(redis.call('HMGET', track_key,
  'lease', 'done_seq', 'committed', 'token', 'last_seq', 'closed', 'gaps', 'owner'))
if committed == lease then return answer({outcome = 'AGAIN'}) end
if live_lease ~= lease or tonumber(live_done_seq) ~= base_seq then return answer({outcome = 'STALE'}) end
drop(token) -- frees first: see open.lua
redis.call('XTRIM', audio_key, 'MINID', whole(open_seq) .. '-0')
local more = not finish and (tonumber(last_seq) > done_seq or closed == '1')
local next_token = more and issue(track, not to_everybody and owner) or ''
redis.call('HSET', track_key, 'done_seq', done_seq, 'open_seq', open_seq, 'done_samples', done_samples, 'state', state,
  'partial', partial, 'wordless', wordless and 1 or 0, 'final_count', final_count, 'committed', lease, 'lease', '', 'token', next_token, 'tries', 0,
  'forgiven', 0)
local waiting = redis.call('HINCRBY', load_key, 'chunks', 0 - chunks) -- not -chunks: the server takes -0 for no number
redis.call('HINCRBY', load_key, 'audio_ms', 0 - audio_ms)
if waiting > 0 then
  redis.call('HINCRBY', load_key, 'audio_bytes', 0 - audio_bytes)
else -- nobody knows the length of chunks that a damaged journal has lost
  redis.call('HSET', load_key, 'audio_bytes', 0)
end

local unscored = 0
for _, final in ipairs(finals) do
  redis.call('HSET', utterances_key, final.id, final.utterance)
  if final.scored then
    redis.call('XADD', finals_key, '*', 'c', call_id, 'i', final.id, unpack(way and {'w', way} or {}))
    unscored = unscored + 1
  end
end
if unscored > 0 then redis.call('HINCRBY', call_key, 'unscored', unscored) end
if last then -- the table shows the utterance of a call that ended last
  local end_before, track_before = unpack(redis.call('HMGET', call_key, 'last_end', 'last_track'))
  end_before = tonumber(end_before or -1)
  if last_end > end_before or (last_end == end_before and track >= track_before) then
    redis.call('HSET', call_key, 'last', last, 'last_end', last_end, 'last_track', track)
  end
end
for _, event in ipairs(events) do say(event, way) end
for n, chunk in ipairs(dead_chunks) do
  redis.call('XADD', dead_key, 'MAXLEN', '~', DEAD_LETTERS, '*', 'c', call_id, 't', track, 'seq', chunk.seq,
    'r', redis.call('HGET', track_key, 'rate'), 'reason', chunk.reason, 'e', chunk.encoding, 'a', dead_audio[n])
  gaps = with_gap(gaps, chunk.seq, chunk.seq)
  redis.call('HSET', track_key, 'gaps', gaps)
end

if finish then
  redis.call('HSET', track_key, 'finished', 1)
  redis.call('HDEL', track_key, 'state')
  redis.call('DEL', audio_key)
  redis.call('HINCRBY', call_key, 'open_tracks', -1)
  if end_if_done() then return answer({outcome = 'ENDED'}) end
end
return answer({outcome = 'OK'})
