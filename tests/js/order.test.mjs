import assert from "node:assert/strict";
import test from "node:test";

import { UNTOUCHED } from "../../webapp/static/js/shared/wording/handling.js";
import { holding, movesBetween, Order, towards, towardsHolding } from "../../webapp/static/js/table/order.js";

const NOBODY = { needs: [], snoozed: [], rest: [], ended: [] };
const row = (call_id, attention, minute, more = {}) => ({
  call_id,
  attention,
  raised: attention >= 0.5,
  state: "live",
  started_at: `2026-01-31T09:${String(minute).padStart(2, "0")}:00.000Z`,
  ended_at: null,
  sentiment: { score: null },
  alerts: [],
  handling: UNTOUCHED,
  ...more,
});

test("calls that need attention come first, then the longest running", () => {
  const rows = [row("young", 0.1, 9), row("old", 0.1, 1), row("bad", 0.6, 5), row("worst", 0.9, 8)];
  assert.deepEqual(new Order().arrange(rows), { ...NOBODY, needs: ["worst", "bad"], rest: ["old", "young"] });
});

test("of the calls that need attention, those that nobody is on come first", () => {
  const taken = { handling: { ...UNTOUCHED, state: "taken", by: "Dana" } };
  const rows = [row("worst", 0.9, 8, taken), row("bad", 0.6, 5), row("calm", 0.1, 1, taken), row("calmer", 0.1, 2)];
  assert.deepEqual(new Order().arrange(rows), { ...NOBODY, needs: ["bad", "worst"], rest: ["calm", "calmer"] });
});

test("snoozed calls stand apart, raised or not, and the next to come back is on top", () => {
  const until = (minute) => ({ handling: { ...UNTOUCHED, state: "snoozed", until: `2026-01-31T09:${minute}:00.000Z` } });
  const rows = [row("later", 0.9, 1, until(20)), row("soon", 0.1, 2, until(10)), row("bad", 0.6, 3)];
  assert.deepEqual(new Order().arrange(rows), { ...NOBODY, needs: ["bad"], snoozed: ["soon", "later"] });
});

test("the held row keeps the same number of rows above it while the others go to their places", () => {
  const shown = { ...NOBODY, rest: [..."abhcr"] };
  assert.deepEqual(holding(shown, { ...NOBODY, needs: ["r"], rest: [..."abhc"] }, "h").rest, [..."abhc"]);
  const two = { ...NOBODY, needs: ["x"], rest: [..."abhcr"] };
  assert.deepEqual(holding(two, { ...NOBODY, needs: [..."rx"], rest: [..."abhc"] }, "h").rest, [..."ahbc"]);
  assert.deepEqual(holding(shown, { ...NOBODY, needs: ["h"], rest: [..."abcr"] }, "h"), { ...shown, rest: [..."abhcr"] });
  const ended = { ...NOBODY, needs: ["h"], ended: ["x"] };
  assert.deepEqual(holding({ ...NOBODY, needs: [..."xh"] }, ended, "h"), { ...NOBODY, needs: ["h"], ended: ["x"] });
  assert.deepEqual(holding(shown, { ...NOBODY, rest: [..."ab"] }, "h").rest, [..."ab"], "a call that is gone is not held");
  assert.deepEqual(holding(shown, shown, null), shown);
});

test("small ups and downs of attention move nothing", () => {
  const order = new Order();
  const at = (a, b) => order.arrange([row("a", a, 1), row("b", b, 2)]).needs;
  assert.deepEqual(at(0.62, 0.63), ["a", "b"]);
  assert.deepEqual(at(0.62, 0.73), ["a", "b"]);
  assert.deepEqual(at(0.57, 0.73), ["a", "b"]);
  assert.deepEqual(at(0.57, 0.75), ["b", "a"]);
});

test("calls that need nobody are in the order of their length alone, whatever their attention does", () => {
  const order = new Order();
  const at = (a, b) => order.arrange([row("a", a, 1), row("b", b, 2)]).rest;
  assert.deepEqual(at(0.1, 0.4), ["a", "b"]);
  assert.deepEqual(at(0.4, 0.1), ["a", "b"]);
});

test("the server says which calls are raised, whatever their attention", () => {
  const order = new Order();
  const group = (attention, raised) => order.group(row("a", attention, 1, { raised }));
  assert.equal(group(0.35, true), "needs");
  assert.equal(group(0.35, false), "rest");
  assert.equal(group(0.9, false), "rest");
});

test("ended calls stand apart with the latest first, however bad they were", () => {
  const ended = (id, minute) => row(id, 0.9, 0, { state: "ended", ended_at: `2026-01-31T09:${minute}:00.000Z` });
  const rows = [ended("a", 10), ended("b", 20), row("live", 0, 1)];
  assert.deepEqual(new Order().arrange(rows), { ...NOBODY, rest: ["live"], ended: ["b", "a"] });
});

test("in a table sorted by a column, raised calls stay on top and missing values come last in both directions", () => {
  const rows = [row("raised", 0.9, 1), row("none", 0, 1), row("up", 0, 2, { sentiment: { score: 1 } }), row("nil", 0, 3, { sentiment: { score: 0 } })];
  const value = ({ sentiment }) => sentiment.score;
  assert.deepEqual(new Order().arrange(rows, { value, descending: true }).rest, ["up", "nil", "none"]);
  assert.deepEqual(new Order().arrange(rows, { value, descending: false }).rest, ["nil", "up", "none"]);
  assert.deepEqual(new Order().arrange(rows, { value, descending: false }).needs, ["raised"]);
});

test("as few rows as possible move", () => {
  assert.deepEqual([...movesBetween([..."abcde"], [..."eabcd"])], ["e"]);
  assert.deepEqual([...movesBetween([..."abcde"], [..."bcdea"])], ["a"]);
  assert.deepEqual([...movesBetween([..."abcde"], [..."abcde"])], []);
  assert.deepEqual([...movesBetween([..."abc"], [..."acx"])], ["x"]);
  assert.deepEqual([...movesBetween([], [..."ab"])], ["a", "b"]);
});

/** A function that shuffles a list, in the same way in every run. */
function shuffles(seed) {
  let last = seed;
  const random = () => (last = (last * 48271) % 2147483647) / 2147483647;
  return (list) => list.map((one) => [random(), one]).sort((a, b) => a[0] - b[0]).map(([, one]) => one);
}

test("rows that do not move are already in the wanted order, in any shuffled list", () => {
  const shuffled = shuffles(1);
  for (let round = 0; round < 200; round += 1) {
    const current = Array.from({ length: 12 }, (_, n) => n);
    const wanted = shuffled(current);
    const moves = movesBetween(current, wanted);
    const stay = (list) => list.filter((n) => !moves.has(n));
    assert.deepEqual(stay(current), stay(wanted));
  }
});

test("rows reach an order a few at a time, but new rows come and gone rows go at once", () => {
  assert.deepEqual(towards([..."abcd"], [..."dcba"], 1), [..."abdc"]);
  assert.deepEqual(towards([..."abcx"], [..."nbac"], 0), [..."nabc"]);
  const shuffled = shuffles(7);
  for (let round = 0; round < 200; round += 1) {
    let current = Array.from({ length: 12 }, (_, n) => n);
    const wanted = shuffled([...current.slice(2), "new", "newer"]);
    for (let step = 0; step <= 6; step += 1) {
      const before = current.filter((n) => wanted.includes(n));
      current = towards(current, wanted, 2);
      assert.deepEqual(new Set(current), new Set(wanted));
      assert.ok(movesBetween(before, current.filter((n) => before.includes(n))).size <= 2);
    }
    assert.deepEqual(current, wanted);
  }
});

test("a held raised row does not move while others change places around it", () => {
  assert.deepEqual(towards([..."ahb"], [..."bha"], 1), [..."abh"], "one at a time would shift it");
  assert.deepEqual(towardsHolding([..."ahb"], [..."bha"], 1, "h"), [..."bha"]);
  assert.deepEqual(towardsHolding([..."habc"], [..."hcba"], 1, "h"), [..."hacb"], "below it they move one by one");
  assert.deepEqual(towardsHolding([..."ahb"], [..."bha"], 1, null), [..."abh"]);
});
