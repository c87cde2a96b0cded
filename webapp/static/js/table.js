// The table of calls: draws what changed once a frame, moves rows seldom and never under the pointer.

import { Hold } from "./hold.js";
import { GROUPS, movesBetween } from "./order.js";
import { RowView } from "./row.js";

/** Rows are put in order in this rhythm, so that they move together and then stand still. */
const ARRANGE_MS = 2_000;
/** How long a new or moved row is marked (the mark itself is drawn by the style sheet). */
const MARK_MS = 4_000;

export class Table {
  #table;
  #template;
  #bodies = {};
  #views = new Map(); // call_id -> RowView
  #calls;
  #order;
  #clock;
  #frame = 0;
  #late = true; // the order may have changed since it was last put right
  #started = false;
  hold;

  /** Called with the groups' sizes and the number of rows that wait for the hold's end, after each arrangement. */
  onArranged = () => {};

  /** @param clock () -> ms, the server's clock */
  constructor(table, template, calls, order, clock) {
    [this.#table, this.#template, this.#calls, this.#order, this.#clock] = [table, template, calls, order, clock];
    for (const group of GROUPS) this.#bodies[group] = table.querySelector(`tbody[data-group=${group}]`);
    this.hold = new Hold(table);
    setInterval(() => this.#tick(), 1_000);
    setInterval(() => this.arrange(), ARRANGE_MS);
  }

  /** Draws the changed rows with the next frame. */
  schedule() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
  }

  /** Draws the changed rows now. */
  draw() {
    const now = this.#clock();
    let fresh = false;
    for (const id of this.#calls.takeChanged()) {
      this.#late = true;
      const row = this.#calls.rows.get(id);
      if (!row) continue; // it leaves with the next arrangement
      let view = this.#views.get(id);
      if (!view) {
        view = new RowView(this.#template, id);
        this.#views.set(id, view);
        fresh = true;
      }
      view.update(row, (track) => this.#calls.spokeAt(id, track), now);
    }
    if (fresh) this.arrange();
  }

  /** Puts the rows in order, unless the supervisor is at work among them; `force` does it all the same. */
  arrange(force = false) {
    if (!this.#late && !force) return;
    const wanted = this.#order(this.#calls.rows.values());
    const held = this.hold.active && !force;
    const waiting = held ? this.#append(wanted) : this.#place(wanted);
    this.#late = held && waiting > 0;
    this.onArranged(wanted, waiting);
  }

  /** The rows' elements in the order shown. */
  get elements() {
    return [...this.#table.querySelectorAll("tr[data-call-id]")];
  }

  /** Shows what a snapshot brought. The first one fills the table at once and marks nothing as new. */
  refresh() {
    this.#late = true;
    this.draw();
    this.arrange(!this.#started);
  }

  #tick() {
    const now = this.#clock();
    for (const [id, view] of this.#views) {
      if (view.row.state !== "ended") view.tick((track) => this.#calls.spokeAt(id, track), now);
    }
    this.#calls.dropEnded(now);
    this.schedule();
  }

  /** Held: new rows come in at the end of the live ones, nothing moves. Returns how many rows stand wrong. */
  #append(wanted) {
    let waiting = 0;
    const known = new Set(GROUPS.flatMap((group) => wanted[group]));
    for (const group of GROUPS) {
      const current = this.#ids(group);
      const moves = movesBetween(current, wanted[group]);
      for (const id of moves) {
        const { element } = this.#views.get(id);
        if (!element.isConnected) {
          this.#mark(element, "new");
          this.#bodies.rest.append(element);
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
      const moves = movesBetween(this.#ids(group), wanted[group]);
      let next = null;
      for (const id of wanted[group].toReversed()) {
        const { element } = this.#views.get(id);
        if (moves.has(id)) {
          if (this.#started) this.#mark(element, element.isConnected ? "moved" : "new");
          body.insertBefore(element, next);
        }
        next = element;
      }
    }
    this.#started = true;
    if (focused && focused !== document.activeElement) {
      focused.focus({ preventScroll: true });
      this.hold.release(); // this focus was ours, not the supervisor's
    }
    return 0;
  }

  #ids(group) {
    return [...this.#bodies[group].querySelectorAll("tr[data-call-id]")].map((row) => row.dataset.callId);
  }

  #mark(element, mark) {
    element.dataset.mark = mark;
    setTimeout(() => delete element.dataset.mark, MARK_MS);
  }
}
