-- Announces a decoder (or announces it again, after the server lost its last second).
-- KEYS  workers, work, the worker's own stream, its heartbeat
-- ARGV  worker, heartbeat in ms
redis.call('DEL', KEYS[4]) -- frees first: a decoder must be able to join while memory is full
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('SET', KEYS[4], 1, 'PX', ARGV[2])
for _, stream in ipairs({KEYS[2], KEYS[3]}) do
  -- MKSTREAM leaves an existing stream alone; an existing group answers BUSYGROUP, which is as good
  redis.pcall('XGROUP', 'CREATE', stream, 'decoders', '0', 'MKSTREAM')
end
return 'OK'
