-- Takes the lease that a token stands for. A token that is not the track's live one is dropped.
--
-- KEYS    track
-- FIELDS  call_id, track
--         token, lease
--         owner              the decoder to which the track's next tokens go; '' if it is a guest here
--         warm_at?           lease of the last commit that this worker's warm recogniser made; left out if it has none
-- ANSWER  outcome, done_seq?, last_seq?, open_seq?, final_count?, tries?, closed?, rate?, samples?, done_samples?
--         warm?              the recogniser is exact
--         careful_seq?       chunks up to this one are decoded one a lease
--         LEASED  and beside the map the saved state: '' with warm, and for a track that has none yet
--         STALE   not the live token; the map stands alone
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
-- Begun in vain before: the journal is now decoded chunk by chunk, so that the next crash accuses one chunk.
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
