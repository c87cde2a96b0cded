-- Stores an utterance's score, once, and the call's standing that follows from all its scores.
--
-- KEYS    call, utterances, scores, kept, finals, live, ended, retained, unsummarised, dead, feed
-- FIELDS  call_id, retention_seconds
--         entry              of `finals`
--         utterance_id, score
--         scored_before      number of the other scores from which the scorer computed the standing
--         standing, attention
--         event              JSON
--         kept?              see assessments.Kept
--         set_aside?         why nobody could score it
--         masked?            what redaction changes: see `redact`
--         way?               what a trace goes on from
-- ANSWER  outcome
--         OK        stored
--         ENDED     stored, and this ended the call
--         AGAIN     stored before, so the entry is dropped
--         GONE      the call has expired, so the entry is dropped
--         CONFLICT  another score came between: compute again
-- WRITES  with all but CONFLICT

local function finish()
  redis.call('XACK', finals_key, 'sentiment', entry)
  redis.call('XDEL', finals_key, entry)
end
if redis.call('EXISTS', call_key) == 0 then
  finish()
  return answer({outcome = 'GONE'})
end
if redis.call('HEXISTS', scores_key, utterance_id) == 1 then
  finish()
  return answer({outcome = 'AGAIN'})
end
if redis.call('HLEN', scores_key) ~= scored_before then return answer({outcome = 'CONFLICT'}) end
finish()
redis.call('HSET', scores_key, utterance_id, score)
redis.call('HSET', call_key, 'standing', standing)
redis.call('HINCRBY', call_key, 'unscored', -1)
redis.call('ZADD', live_key, 'XX', attention, call_id)
if kept then redis.call('SET', kept_key, kept) end
redact(masked)
if set_aside then
  redis.call('XADD', dead_key, 'MAXLEN', '~', DEAD_LETTERS, '*', 'c', call_id, 'i', utterance_id, 'reason', set_aside)
end
say(event, way)
return answer({outcome = end_if_done() and 'ENDED' or 'OK'})
