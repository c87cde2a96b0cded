-- Takes the lease that a token stands for. Drops a token that is not the track's live one.
--
-- KEYS    track
-- FIELDS  call_id, track
--         token, lease
--         owner              the decoder that gets the track's next tokens; '' if it is a guest here
--         warm_at?           lease of the last commit of this worker's warm recogniser; left out if it has none
-- ANSWER  outcome, done_seq?, last_seq?, open_seq?, final_count?, tries?, closed?, rate?, samples?, done_samples?
--         warm?              the warm recogniser is exact
--         careful_seq?       number of the last chunk to decode one a lease
--         LEASED  beside the map stands the saved state: '' if warm, or if the track has none yet
--         STALE   it is not the live token; '' stands beside the map
-- WRITES  with both

local live_token, done_seq, last_seq, open_seq, final_count, tries, closed, rate, samples, done_samples, committed,
  state, forgiven, careful_seq = unpack(redis.call('HMGET', track_key, 'token', 'done_seq', 'last_seq', 'open_seq',
  'final_count', 'tries', 'closed', 'rate', 'samples', 'done_samples', 'committed', 'state', 'forgiven', 'careful_seq'))
if live_token ~= token then
  drop(token)
  return {answer({outcome = 'STALE'}), ''}
end
redis.call('HDEL', track_key, 'lease') -- frees: with memory full, a script whose first write may grow is refused
tries = tonumber(tries) + 1
redis.call('HSET', track_key, 'lease', lease, 'owner', owner, 'tries', tries)
-- A try was in vain before. So decode the journal chunk by chunk: the next crash then accuses one chunk.
last_seq, careful_seq = tonumber(last_seq), tonumber(careful_seq or 0)
if tries + tonumber(forgiven or 0) > 1 and last_seq > careful_seq then
  careful_seq = last_seq
  redis.call('HSET', track_key, 'careful_seq', last_seq)
end
local warm = committed ~= '' and committed == warm_at
return {
  answer({
    outcome = 'LEASED', done_seq = tonumber(done_seq), last_seq = last_seq, open_seq = tonumber(open_seq),
    final_count = tonumber(final_count), tries = tries, closed = closed == '1', rate = tonumber(rate),
    samples = tonumber(samples), done_samples = tonumber(done_samples), warm = warm, careful_seq = careful_seq,
  }),
  not warm and state or '',
}
