-- Takes the lease a token stands for. A token that is not the track's live one is dropped.
-- KEYS  track, the token's stream
-- ARGV  token, lease, worker, version this worker's warm recogniser stands at ('' = none)
-- Returns {'STALE'} or {'LEASED', done, last, utt, uidx, tries, closed, rate, samples, done_samples, warm, careful, state}
--   warm is 1 if the recogniser at that version is exact; state is '' then, and for a track without one yet.
local t = redis.call('HMGET', KEYS[1], 'tok', 'done', 'last', 'utt', 'uidx', 'tries', 'closed', 'rate', 'samples',
  'done_samples', 'ver', 'state', 'forgiven', 'careful')
if t[1] ~= ARGV[1] then
  drop(ARGV[1])
  return {'STALE'}
end
redis.call('HDEL', KEYS[1], 'lease') -- frees: with memory full, a script whose first write may grow is refused
redis.call('HSET', KEYS[1], 'lease', ARGV[2], 'owner', ARGV[3])
local tries = redis.call('HINCRBY', KEYS[1], 'tries', 1)
-- Begun in vain before: what is in the journal now is decoded chunk by chunk, so that the next crash accuses one.
local careful = tonumber(t[14] or 0)
if tries + tonumber(t[13] or 0) > 1 and tonumber(t[3]) > careful then
  careful = tonumber(t[3])
  redis.call('HSET', KEYS[1], 'careful', t[3])
end
local warm = t[11] ~= '' and t[11] == ARGV[4]
return {'LEASED', t[2], t[3], t[4], t[5], tries, t[7] or '0', t[8], t[9], t[10], warm and 1 or 0,
  string.format('%.0f', careful), warm and '' or t[12] or ''}
