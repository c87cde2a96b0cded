-- Strikes dead scorers off the group's list. It spares those with pending entries, which would be lost.
--
-- KEYS    finals
-- FIELDS  idle_ms            a scorer that is idle for longer is dead
-- ANSWER  forgotten          how many scorers it struck off
-- WRITES  if there is one

local forgotten = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', finals_key, 'sentiment')) do
  local is = {}
  for i = 1, #consumer, 2 do is[consumer[i]] = consumer[i + 1] end
  if is.pending == 0 and is.idle > idle_ms then
    -- pcall: Redis 6 refuses this while memory is full. It can wait; scoring cannot.
    local struck = redis.pcall('XGROUP', 'DELCONSUMER', finals_key, 'sentiment', is.name)
    if type(struck) == 'number' then forgotten = forgotten + 1 end
  end
end
return answer({forgotten = forgotten})
