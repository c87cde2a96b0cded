-- Declares a call. A call made by its first chunk is described by its first declaration.
-- KEYS  call, live, idle, feed, load
-- ARGV  call id, tracks (space separated), metadata (JSON), digest of the declaration, backlog limit in ms, sender's
--       name, whether it may read (1/0)
-- Returns CREATED | SAME | DIFFERS (declared otherwise, or by another sender: one that may not read could guess what
--       was declared) | FOREIGN (another sender's audio) | BUSY (new calls are refused first). Only CREATED writes.
local found = redis.call('HMGET', KEYS[1], 'state', 'digest', 'tracks', 'sender', 'declarer')
if not found[1] then
  if tonumber(redis.call('HGET', KEYS[5], 'audio_ms') or 0) >= tonumber(ARGV[5]) * 0.9 then return 'BUSY' end
  create_call(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
  redis.call('HSET', KEYS[1], 'declarer', ARGV[6])
  return 'CREATED'
end
if foreign(found[4], ARGV[6], ARGV[7]) then return 'FOREIGN' end
if found[2] == ARGV[4] and (found[5] == ARGV[6] or ARGV[7] == '1') then return 'SAME' end
if found[2] ~= '' then return 'DIFFERS' end
local tracks, known = found[3], {}
for track in string.gmatch(tracks, '%S+') do known[track] = true end
for track in string.gmatch(ARGV[2], '%S+') do
  if not known[track] then tracks = tracks .. ' ' .. track end
end
redis.call('HSET', KEYS[1], 'tracks', tracks, 'metadata', ARGV[3], 'digest', ARGV[4],
  'declarer', ARGV[6])
say_call(ARGV[1])
return 'CREATED'
