import assert from "node:assert/strict";
import test from "node:test";
import { isAside, legsTold, lineOfParty, lineTold, speakerOf } from "../../webapp/static/js/shared/wording/line.js";

const event = (kind, at, track = "", to = "") => ({ kind, at, track, to });

test("a party on hold is shown with the time that it has waited", () => {
  const row = { events: [event("hold", 10, "customer")] };
  assert.match(lineOfParty(row, "customer", 55), /^on hold 45/);
  assert.equal(lineOfParty(row, "agent", 55), "");
  assert.equal(lineOfParty({ events: [...row.events, event("resume", 60)] }, "customer", 70), "");
});

test("silence means nothing while a party is on hold, or from a party that is mute", () => {
  assert.equal(isAside({ events: [event("hold", 10, "customer")] }, "agent"), true);
  assert.equal(isAside({ events: [event("mute", 10, "agent")] }, "agent"), true);
  assert.equal(isAside({ events: [event("mute", 10, "agent")] }, "customer"), false);
  assert.equal(isAside({ events: [event("mute", 1, "agent"), event("unmute", 2, "agent")] }, "agent"), false);
  assert.equal(isAside({}, "agent"), false);
});

test("a transfer is shown with the agent", () => {
  assert.equal(lineOfParty({ events: [event("transfer", 5, "", "billing")] }, "agent", 9), "transferred to billing");
});

test("pressed keys are only counted", () => {
  const told = lineTold([event("dtmf", 1), event("hold", 2, "customer"), event("dtmf", 3), event("transfer", 4, "", "x")]);
  assert.deepEqual(told, [["0:02", "hold customer"], ["0:04", "transfer to x"], ["keys pressed", "2"]]);
});

const joined = (at, track, who) => ({ kind: "join", at, track, to: "", who });

test("a call's legs say who was on which track and when", () => {
  const row = { tracks: { customer: {}, agent: {}, "agent-2": {} }, metadata: { agent: "Ann" }, events: [joined(30, "agent-2", "Ben")] };
  assert.equal(lineOfParty(row, "agent", 40), "with Ben");
  assert.equal(lineOfParty(row, "customer", 40), "");
  row.events.unshift({ kind: "transfer", at: 20, track: "", to: "billing" });
  assert.equal(lineOfParty(row, "agent", 40), "with Ben");
  row.events.push({ kind: "leave", at: 50, track: "agent" });
  assert.equal(lineOfParty(row, "agent", 60), "now Ben");
  assert.deepEqual(legsTold(row), [["agent", "Ann, 0:00 to 0:50"], ["agent-2", "Ben, 0:30 to the end"]]);
  assert.equal(speakerOf(row, "agent-2", 40), "Ben");
  assert.equal(speakerOf(row, "customer", 40), "");
});

test("when another person takes over a track, the second says whose words they are", () => {
  const row = { tracks: { customer: {}, agent: {} }, metadata: { agent: "Ann" }, events: [joined(30, "agent", "Ben")] };
  assert.deepEqual([speakerOf(row, "agent", 10), speakerOf(row, "agent", 31)], ["Ann", "Ben"]);
  assert.equal(lineOfParty(row, "agent", 31), "now Ben");
  assert.deepEqual(lineTold(row.events), []);
});
