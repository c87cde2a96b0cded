import assert from "node:assert/strict";
import test from "node:test";
import { isAside, lineOfParty, lineTold } from "../../webapp/static/js/shared/wording/line.js";

const event = (kind, at, track = "", to = "") => ({ kind, at, track, to });

test("who waits is told with how long", () => {
  const row = { events: [event("hold", 10, "customer")] };
  assert.match(lineOfParty(row, "customer", 55), /^on hold 45/);
  assert.equal(lineOfParty(row, "agent", 55), "");
  assert.equal(lineOfParty({ events: [...row.events, event("resume", 60)] }, "customer", 70), "");
});

test("while somebody waits, and for who is mute, silence means nothing", () => {
  assert.equal(isAside({ events: [event("hold", 10, "customer")] }, "agent"), true);
  assert.equal(isAside({ events: [event("mute", 10, "agent")] }, "agent"), true);
  assert.equal(isAside({ events: [event("mute", 10, "agent")] }, "customer"), false);
  assert.equal(isAside({ events: [event("mute", 1, "agent"), event("unmute", 2, "agent")] }, "agent"), false);
  assert.equal(isAside({}, "agent"), false);
});

test("a transfer stands at the agent", () => {
  assert.equal(lineOfParty({ events: [event("transfer", 5, "", "billing")] }, "agent", 9), "transferred to billing");
});

test("keys that were pressed are only counted", () => {
  const told = lineTold([event("dtmf", 1), event("hold", 2, "customer"), event("dtmf", 3), event("transfer", 4, "", "x")]);
  assert.deepEqual(told, [["0:02", "hold customer"], ["0:04", "transfer to x"], ["keys pressed", "2"]]);
});
