-- Takes the lease a token stands for. A token that is not the track's live one is dropped.
-- KEYS  track, the token's stream
-- ARGV  token, lease, worker, version this worker's warm recogniser stands at ('' = none)
-- Returns {'STALE'} or {'LEASED', done, last, utt, uidx, tries, closed, rate, samples, done_samples, warm, state}
--   warm is 1 if the recogniser at that version is exact; state is '' then, and for a track without one yet.
local t = redis.call('HMGET', KEYS[1], 'tok', 'done', 'last', 'utt', 'uidx', 'tries', 'closed', 'rate', 'samples',
  'done_samples', 'ver', 'state')
if t[1] ~= ARGV[1] then
  drop(ARGV[1])
  return {'STALE'}
end
redis.call('HDEL', KEYS[1], 'lease') -- frees: with memory full, a script whose first write may grow is refused
redis.call('HSET', KEYS[1], 'lease', ARGV[2], 'owner', ARGV[3])
local tries = redis.call('HINCRBY', KEYS[1], 'tries', 1)
local warm = t[11] ~= '' and t[11] == ARGV[4]
return {'LEASED', t[2], t[3], t[4], t[5], tries, t[7] or '0', t[8], t[9], t[10], warm and 1 or 0,
  warm and '' or t[12] or ''}
