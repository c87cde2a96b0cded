-- Stores an utterance's score and the call's standing that follows from all its scores, once.
-- KEYS  call, scores, finals, live, feed, utterances, dead
-- ARGV  1 entry of `finals`, 2 utterance id, 3 score, 4 how many scores the standing was computed from (without
--       this one), 5 standing, 6 attention, 7 feed event (JSON), 8 call id, 9 retention in seconds,
--       10 why it could not be scored and is set aside ('' = it was scored),
--       then what redaction changes, if anything (see `redact`)
-- Returns OK | ENDED (and the call ended with it) | AGAIN (scored before: the entry is dropped)
--       | CONFLICT (another score came between: compute again; nothing written) | GONE (the call has expired)
local function finish()
  redis.call('XACK', KEYS[3], 'sentiment', ARGV[1])
  redis.call('XDEL', KEYS[3], ARGV[1])
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  finish()
  return 'GONE'
end
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 then
  finish()
  return 'AGAIN'
end
if redis.call('HLEN', KEYS[2]) ~= tonumber(ARGV[4]) then return 'CONFLICT' end
finish()
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('HSET', KEYS[1], 'standing', ARGV[5])
redis.call('HINCRBY', KEYS[1], 'unscored', -1)
redis.call('ZADD', KEYS[4], 'XX', ARGV[6], ARGV[8])
redact(KEYS[1], KEYS[6], 11)
if ARGV[10] ~= '' then
  redis.call('XADD', KEYS[7], 'MAXLEN', '~', DEAD_LETTERS, '*', 'c', ARGV[8], 'i', ARGV[2], 'reason', ARGV[10])
end
say(ARGV[7])
if end_if_done(ARGV[8], tonumber(ARGV[9])) then return 'ENDED' end
return 'OK'
