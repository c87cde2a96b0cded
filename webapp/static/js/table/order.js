// The order of the calls: first those that need attention (the agent asks for help, then nobody is on it), then the
// snoozed ones, then the longest. The order is steady, so that the eye can rest.

import { isHandled, wantsHelp } from "../shared/wording/handling.js";

/** Width of a band of attention. Calls in one band count as equal and stand by duration. */
const BAND = 0.1;
/** Distance outside its band at which a call changes it. Small ups and downs move nothing. */
const BAND_SLACK = 0.04;

export const GROUPS = ["needs", "snoozed", "rest", "ended"];

export class Order {
  #standing = new Map(); // call_id -> {attention, band}

  /** A row's group. The server says whether a call is raised, with hysteresis, so that it does not flicker. */
  group(row) {
    if (row.state === "ended") return "ended";
    if (row.handling.state === "snoozed") return "snoozed";
    return row.raised || wantsHelp(row) ? "needs" : "rest";
  }

  /**
   * The rows' ids by group, each group in its order.
   * @param rows iterable of rows
   * @param column what to sort each group by instead of need: value(row) and descending; or null
   */
  arrange(rows, column = null) {
    const groups = { needs: [], snoozed: [], rest: [], ended: [] };
    const seen = new Set();
    for (const row of rows) {
      groups[this.group(row)].push(row);
      seen.add(row.call_id);
    }
    for (const id of this.#standing.keys()) if (!seen.has(id)) this.#standing.delete(id);
    const byNeed = (a, b) => this.#of(b).band - this.#of(a).band || byStart(a, b);
    const orders = {
      needs: (a, b) =>
        Number(wantsHelp(b)) - Number(wantsHelp(a)) || Number(isHandled(a)) - Number(isHandled(b)) || byNeed(a, b),
      snoozed: (a, b) => compare(a.handling.until, b.handling.until) || byStart(a, b),
      rest: byStart, // these need nobody, so they do not move
      ended: (a, b) => compare(b.ended_at, a.ended_at) || byStart(a, b),
    };
    for (const group of GROUPS) groups[group].sort(column ? byColumn(column) : orders[group]);
    return Object.fromEntries(GROUPS.map((group) => [group, groups[group].map((row) => row.call_id)]));
  }

  #of(row) {
    const { call_id: id, attention } = row;
    const was = this.#standing.get(id);
    if (was?.attention === attention) return was;
    const keeps =
      was && attention > was.band * BAND - BAND_SLACK && attention < (was.band + 1) * BAND + BAND_SLACK;
    // The small addend: 0.15 / 0.05 is 2.9999999999999996.
    const now = { attention, band: keeps ? was.band : Math.floor(attention / BAND + 1e-9) };
    this.#standing.set(id, now);
    return now;
  }
}

/**
 * The fewest items to move so that `current` gets the order of `wanted`: all but a longest run that is in order
 * already. Items that are only in `wanted` count as moved.
 */
export function movesBetween(current, wanted) {
  const place = new Map(wanted.map((id, index) => [id, index]));
  const kept = current.filter((id) => place.has(id));
  const tails = []; // tails[n]: index in kept of the smallest last item of a rising run of n + 1 items
  const before = new Array(kept.length);
  kept.forEach((id, index) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (place.get(kept[tails[middle]]) < place.get(id)) low = middle + 1;
      else high = middle;
    }
    before[index] = low ? tails[low - 1] : -1;
    tails[low] = index;
  });
  const moved = new Set(wanted);
  for (let index = tails.at(-1) ?? -1; index >= 0; index = before[index]) moved.delete(kept[index]);
  return moved;
}

/**
 * `wanted` (group -> ids), but with the row `id` where `shown` has it: in its group, with as many rows above it. So the
 * other rows move, and this one stays under the pointer.
 */
export function holding(shown, wanted, id) {
  const group = GROUPS.find((name) => shown[name].includes(id));
  if (!group || !GROUPS.some((name) => wanted[name].includes(id))) return wanted;
  const others = Object.fromEntries(GROUPS.map((name) => [name, wanted[name].filter((each) => each !== id)]));
  const before = GROUPS.slice(0, GROUPS.indexOf(group));
  // where no call needs attention a line as high as a row says so
  const above = (groups) => before.reduce((sum, name) => sum + Math.max(groups[name].length, name === "needs" ? 1 : 0), 0);
  const place = above(shown) + shown[group].indexOf(id) - above(others);
  others[group].splice(Math.max(0, place), 0, id);
  return others;
}

/**
 * An order nearer to `wanted`, for moving few rows at a time. New rows come in, rows not in `wanted` go, and at most
 * `most` others move, the first ones first. Repeated calls end in `wanted`.
 */
export function towards(current, wanted, most) {
  const stood = new Set(current);
  let left = most;
  const moves = new Set([...movesBetween(current, wanted)].filter((id) => !stood.has(id) || left-- > 0));
  const place = new Map(wanted.map((id, index) => [id, index]));
  const order = current.filter((id) => place.has(id) && !moves.has(id));
  for (const id of moves) order.splice(order.indexOf(wanted[place.get(id) - 1]) + 1, 0, id);
  return order;
}

/**
 * The same with the row `held`: it stands still, so where moving few would shift it, all are moved at once.
 */
export function towardsHolding(current, wanted, most, held) {
  const order = towards(current, wanted, most);
  return order.indexOf(held) === wanted.indexOf(held) ? order : wanted;
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const byStart = (a, b) => compare(a.started_at, b.started_at) || compare(a.call_id, b.call_id);

/** Missing values come last in either direction. */
function byColumn({ value, descending }) {
  return (a, b) => {
    const [left, right] = [value(a), value(b)];
    const missing = Number(left === null || left === "") - Number(right === null || right === "");
    return missing || (descending ? compare(right, left) : compare(left, right)) || byStart(a, b);
  };
}
