-- Notes an event that nobody hears in the sound: a hold, a transfer, a pause of the recording.
--
-- KEYS    call, feed
-- FIELDS  call_id
--         kind               types.HappeningKind
--         track              the track that it is about; "" if it names none
--         to                 of a transfer: to whom
--         who                of a join: the person on the track from now on
--         most               most events to keep of a call; pressed keys take at most half of them
--         sender             the sender's name
--         sender_reads       the sender may read every call: see types.Sender
-- ANSWER  outcome, at?
--         OK       noted at second `at` of the call, the second of its newest audio
--         SAME     it changes nothing
--         OFF      it pauses the recording of a call that is not recorded
--         FULL     the call has as many events as it may have
--         CLOSED   the sender has ended the call
--         UNKNOWN  no such call
--         FOREIGN  another sender's call
-- WRITES  with OK

local state, owner, tracks, metadata, recorded, held, muted, unrecorded_until, happened, count = unpack(
  redis.call('HMGET', call_key, 'state', 'sender', 'tracks', 'metadata', 'recorded', 'held', 'muted',
  'unrecorded_until_ms', 'happened', 'happened_count'))
if not state then return answer({outcome = 'UNKNOWN'}) end
if foreign(owner) then return answer({outcome = 'FOREIGN'}) end
if state ~= 'live' then return answer({outcome = 'CLOSED'}) end
held, muted, count = held or '', muted or ' ', tonumber(count or 0)
local now, paused = now_ms(), tonumber(unrecorded_until or 0) == FOR_EVER_MS
local is_muted = string.find(muted, ' ' .. track .. ' ', 1, true)
-- The person on the track: the one who joined it last, else the one in the call's metadata; "" after they left.
local function on_track()
  local last = cjson.decode(metadata)[track]
  for _, one in ipairs(happened and cjson.decode(happened) or {}) do
    if one.track == track and one.kind == 'join' then last = one.who end
    if one.track == track and one.kind == 'leave' then last = '' end
  end
  return last
end
local is_leg = kind == 'join' or kind == 'leave'
local same = {
  join = is_leg and on_track() == who, leave = is_leg and on_track() == '',
  hold = held ~= '', resume = held == '', mute = is_muted, unmute = not is_muted, dtmf = count >= most / 2,
  ['recording-paused'] = paused, ['recording-resumed'] = not paused,
}
if kind == 'recording-paused' and recorded ~= '1' then return answer({outcome = 'OFF'}) end
if same[kind] then return answer({outcome = 'SAME'}) end
-- A full list still takes an event that ends something, so that nothing stays on hold, mute or paused for ever.
if count >= most and (kind == 'hold' or kind == 'mute' or kind == 'transfer' or kind == 'join'
  or kind == 'recording-paused') then
  return answer({outcome = 'FULL'})
end

local at = 0
for name in string.gmatch(tracks, '%S+') do
  local samples, rate = unpack(redis.call('HMGET', key_of_track(name), 'samples', 'rate'))
  if samples then at = math.max(at, samples / rate) end
end
if kind == 'hold' then
  redis.call('HSET', call_key, 'held', track, 'held_at_ms', whole(now))
elseif kind == 'resume' then
  redis.call('HSET', call_key, 'held', '')
elseif kind == 'mute' then
  redis.call('HSET', call_key, 'muted', muted .. track .. ' ')
elseif kind == 'unmute' then
  local first, last = is_muted, is_muted + #track
  redis.call('HSET', call_key, 'muted', string.sub(muted, 1, first) .. string.sub(muted, last + 2))
elseif kind == 'recording-paused' then
  redis.call('HSET', call_key, 'unrecorded_until_ms', whole(FOR_EVER_MS))
elseif kind == 'recording-resumed' then
  redis.call('HSET', call_key, 'unrecorded_until_ms', whole(now))
end
local one = '{"kind":"' .. kind .. '","at":' .. string.format('%.3f', at)
  .. ',"track":"' .. track .. '","to":' .. cjson.encode(to) .. ',"who":' .. cjson.encode(who) .. '}'
happened = (happened and string.sub(happened, 1, -2) .. ',' or '[') .. one .. ']'
redis.call('HSET', call_key, 'happened', happened, 'happened_count', count + 1)
say('{"kind":"line","call_id":' .. cjson.encode(call_id) .. ',"events":' .. happened .. '}')
return answer({outcome = 'OK', at = string.format('%.3f', at)})
