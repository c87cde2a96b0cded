import assert from "node:assert/strict";
import test from "node:test";
import { asked, cells } from "../../webapp/static/js/history/found.js";

test("the page asks for the newest calls of any state, unless the address says otherwise", () => {
  assert.equal(String(asked(new URLSearchParams(""))), "state=any&sort=time&limit=50");
  const query = asked(new URLSearchParams("text=a+refund&sort=relevance&agent=&x=1&state=ended"));
  assert.equal(String(query), "state=ended&sort=relevance&limit=50&text=a+refund");
  assert.equal(asked(new URLSearchParams("sort=relevance")).get("sort"), "time");
});

test("a line shows the words that were found with their time, or else the last words", () => {
  const row = {
    call_id: "c", state: "ended", started_at: "2026-01-01T12:00:00Z", ended_at: "2026-01-01T12:01:05Z",
    metadata: { caller: "+1", agent: "Dana" }, attention: 0.5, sentiment: { score: -0.5 },
    alerts: [{ kind: "churn" }, { kind: "churn" }], handling: { tags: ["vip"] }, last: { text: "bye" },
  };
  const shown = cells(row, { start: 65, track: "customer", text: "a refund" });
  assert.deepEqual([shown[0], shown[2], shown[3], shown[5]], ["+1", "1:05", "Dana", "50"]);
  assert.deepEqual(shown.slice(7), ["churn, vip", "1:05 customer: a refund"]);
  assert.equal(cells({ ...row, last: null }, undefined).at(-1), "");
});
