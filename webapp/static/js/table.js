// The table of calls: draws what changed a few rows at a time, moves rows seldom and never under the pointer.

import { Hold } from "./hold.js";
import { GROUPS, movesBetween } from "./order.js";
import { RowView } from "./row.js";

/** Rows are put in order in this rhythm, so that they move together and then stand still. */
const ARRANGE_MS = 2_000;
/** Least time between two drawings, and how many rows one draws: so many fit into a frame. */
const DRAW_MS = 40;
const DRAW_ROWS = 4;
/**
 * Rows out of sight are drawn so many a second, and at once when they come in: any of them makes the browser lay out
 * the whole table (measured with 500: 4 ms against 1.4), and nobody sees it but a search within the page.
 */
const UNSEEN_ROWS = 100;
/** Clocks of rows in sight go on every second; of those out of sight, every so many seconds and when they come in. */
const UNSEEN_TICKS = 10;
/** How long a new or moved row is marked (the mark itself is drawn by the style sheet). */
const MARK_MS = 3_000;

export class Table {
  #table;
  #template;
  #bodies = {};
  #views = new Map(); // call_id -> RowView
  #calls;
  #order;
  #clock;
  #frame = 0;
  #drawn = 0; // when, by performance.now()
  #undrawn = new Set(); // ids of changed calls
  #shown = { needs: [], rest: [], ended: [] }; // ids in the order in which their rows stand
  #ticks = 0;
  #keep = () => true;
  #column = null;
  #late = true; // the order may have changed since it was last put right
  #started = false;
  hold;

  /** Called with the groups' sizes and the number of rows that wait for the hold's end, after each arrangement. */
  onArranged = () => {};

  /** The name of who looks at the table. */
  viewer = () => "";

  /** Whether the rows may be old: then their clocks stand still too, for nobody knows who is silent. */
  isStale = () => false;

  /** @param clock () -> ms, the server's clock */
  constructor(table, template, calls, order, clock) {
    [this.#table, this.#template, this.#calls, this.#order, this.#clock] = [table, template, calls, order, clock];
    for (const group of GROUPS) this.#bodies[group] = table.querySelector(`tbody[data-group=${group}]`);
    this.hold = new Hold(table);
    table.addEventListener(
      "contentvisibilityautostatechange",
      ({ target, skipped }) => this.#sight(target.dataset.callId, !skipped),
      true,
    );
    setInterval(() => this.#tick(), 1_000);
    setInterval(() => this.arrange(), ARRANGE_MS);
  }

  /** Draws the changed rows with the next frame that is to be drawn in. */
  schedule() {
    this.#frame ||= setTimeout(
      () =>
        requestAnimationFrame(() => {
          this.#frame = 0;
          this.draw();
        }),
      Math.max(0, this.#drawn + DRAW_MS - performance.now()),
    );
  }

  /** Draws changed rows now: of those in sight, and of those out of sight, so many; new ones all. */
  draw(inSight = DRAW_ROWS, unseen = 0) {
    for (const id of this.#calls.takeChanged()) this.#undrawn.add(id);
    this.#late ||= this.#undrawn.size > 0;
    const now = this.#clock();
    this.#drawn = performance.now();
    const fresh = [...this.#undrawn].filter((id) => this.#calls.rows.has(id) && !this.#views.has(id));
    for (const id of fresh) {
      this.#views.set(id, new RowView(this.#template, id));
      this.#drawRow(id, now);
    }
    const left = { true: inSight, false: unseen };
    for (const id of this.#undrawn) {
      if (left[this.#views.get(id)?.inSight ?? false]-- > 0) this.#drawRow(id, now);
    }
    if (fresh.length) this.arrange();
    if (left.true < 0) this.schedule();
  }

  #drawRow(id, now) {
    this.#undrawn.delete(id);
    const row = this.#calls.rows.get(id);
    if (!row) return; // it leaves with the next arrangement
    const needs = this.#order.group(row) === "needs";
    this.#views.get(id).update(row, needs, this.viewer(), (track) => this.#calls.spokeAt(id, track), now);
  }

  /** Puts the rows in order, unless the supervisor is at work among them; `force` does it all the same. */
  arrange(force = false) {
    if (!this.#late && !force) return;
    const rows = [...this.#calls.rows.values()].filter((row) => this.#views.has(row.call_id) && this.#keep(row));
    const wanted = this.#order.arrange(rows, this.#column);
    const held = this.hold.active && !force;
    const waiting = held ? this.#append(wanted) : this.#place(wanted);
    this.#late = held && waiting > 0;
    this.onArranged(wanted, waiting);
  }

  /** Shows only rows that pass `keep`, by `column` ({value, descending}) or, with null, by need. */
  choose(keep, column) {
    [this.#keep, this.#column] = [keep, column];
    if (this.#started) this.arrange(true);
  }

  /** The ids of the rows in the order shown. */
  get ids() {
    return GROUPS.flatMap((group) => this.#shown[group]);
  }

  /** The rows' elements in the order shown. */
  get elements() {
    return this.ids.map((id) => this.#views.get(id).element);
  }

  /** Shows what a snapshot brought. The first one fills the table at once and marks nothing as new. */
  refresh() {
    this.#late = true;
    this.draw(Infinity, Infinity);
    this.arrange(!this.#started);
  }

  #tick() {
    if (this.isStale()) return;
    const now = this.#clock();
    let turn = (this.#ticks += 1);
    for (const [id, view] of this.#views) {
      if (view.inSight || (turn++) % UNSEEN_TICKS === 0) this.#tickRow(id, view, now);
    }
    this.#calls.dropEnded(now);
    this.#calls.wake(now);
    this.draw(DRAW_ROWS, UNSEEN_ROWS);
  }

  #tickRow(id, view, now) {
    if (view.row && view.row.state !== "ended") view.tick((track) => this.#calls.spokeAt(id, track), now);
  }

  #sight(id, inSight) {
    const view = this.#views.get(id);
    if (!view) return;
    view.inSight = inSight;
    if (!inSight) return;
    if (this.#undrawn.has(id)) this.#drawRow(id, this.#clock());
    this.#tickRow(id, view, this.#clock());
  }

  /** Held: new rows come in at the end of the live ones, nothing moves. Returns how many rows stand wrong. */
  #append(wanted) {
    let waiting = 0;
    const known = new Set(GROUPS.flatMap((group) => wanted[group]));
    for (const group of GROUPS) {
      const current = [...this.#shown[group]];
      const moves = movesBetween(current, wanted[group]);
      for (const id of moves) {
        const { element } = this.#views.get(id);
        if (!element.isConnected) {
          this.#welcome(id);
          this.#bodies.rest.append(element);
          this.#shown.rest.push(id);
        }
        waiting += 1;
      }
      waiting += current.filter((id) => !known.has(id)).length;
    }
    return waiting;
  }

  #place(wanted) {
    const focused = this.#table.contains(document.activeElement) ? document.activeElement : null;
    const known = new Set(GROUPS.flatMap((group) => wanted[group]));
    for (const [id, view] of this.#views) {
      if (!known.has(id)) view.element.remove();
      if (!this.#calls.rows.has(id)) this.#views.delete(id);
    }
    for (const group of GROUPS) {
      const body = this.#bodies[group];
      const moves = movesBetween(this.#shown[group], wanted[group]);
      let next = null;
      for (const id of wanted[group].toReversed()) {
        const { element } = this.#views.get(id);
        if (moves.has(id)) {
          if (!element.isConnected) this.#welcome(id);
          else if (group === "needs") this.#mark(element, "moved"); // elsewhere a move means little
          body.insertBefore(element, next);
        }
        next = element;
      }
      this.#shown[group] = wanted[group];
    }
    this.#started = true;
    if (focused && focused !== document.activeElement) {
      focused.focus({ preventScroll: true });
      this.hold.release(); // this focus was ours, not the supervisor's
    }
    return 0;
  }

  /** Marks a row as new, the first time it is shown; but not the rows that the page began with. */
  #welcome(id) {
    const view = this.#views.get(id);
    if (this.#started && !view.welcomed) this.#mark(view.element, "new");
    view.welcomed = true;
  }

  #mark(element, mark) {
    element.dataset.mark = mark;
    setTimeout(() => delete element.dataset.mark, MARK_MS);
  }
}
