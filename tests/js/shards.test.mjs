import assert from "node:assert/strict";
import test from "node:test";

import { shardOf } from "../../webapp/static/js/shared/live/shards.js";

test("the page finds a call's shard as the server does", () => {
  // From Python: [zlib.crc32(id.encode()) % n for id in (...)]
  assert.deepEqual(["call-1", "a", "Zebra~9_x"].map((id) => shardOf(id, 12)), [4, 3, 7]);
  assert.equal(shardOf("call-1", 1), 0);
});
