// The part of the store that keeps a call, by the CRC-32 of its id, as in state/server/shards.py.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The number of the call's shard. @param count the number of shards */
export function shardOf(callId, shards) {
  let sum = 0xffffffff;
  for (const byte of new TextEncoder().encode(callId)) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return ((sum ^ 0xffffffff) >>> 0) % shards;
}
