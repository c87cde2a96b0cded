// The table of calls. It draws changes a few rows at a time, and moves rows seldom, never the one under the pointer.

import { Hold } from "./hold.js";
import { GROUPS, holding, movesBetween, towardsHolding } from "./order.js";
import { isTold, RowView } from "./row.js";
import { VisibleRows } from "./visible.js";

/** Time between two orderings of the rows, so that they move together and then stand still. */
const ARRANGE_MS = 2_000;
/** Rows that move at a time: the eye can follow one, and frames stay short. */
const MOVED_ROWS = 1;
const MOVE_MS = 60;
/** Least time between two drawings, and rows in one drawing: so many fit into a frame. */
const DRAW_MS = 40;
const DRAW_ROWS = 4;
/** Time that a new or moved row is marked. The style sheet draws the mark. */
const MARK_MS = 3_000;

export class Table {
  #template;
  #calls;
  #order;
  #clock;
  #visible;
  #frame = 0;
  #moving = 0;
  #drawn = 0; // when, by performance.now()
  #undrawn = new Set(); // ids of changed calls
  #rows = new Map(); // call_id -> row of the calls that came, and of those that went and still stand in the table
  #shown = { needs: [], snoozed: [], rest: [], ended: [] }; // ids in the order shown
  #marks = new Map(); // call_id -> "new" or "moved"
  #current = null;
  #keep = (_row) => true;
  #column = null;
  #late = true; // the order may have changed since it was last put right
  #started = false;
  hold;

  /** Called with the groups' ids after each arrangement. */
  onArranged = (_groups) => {};

  /** The viewer's name. */
  viewer = () => "";

  /** The place on a call where a search found its words; or null. */
  hit = (_row) => null;

  /** Whether the rows may be out of date. Then their clocks stand still, because nobody knows who is silent. */
  isStale = () => false;

  /** @param clock () -> ms, the server's clock */
  constructor(table, template, calls, order, clock) {
    [this.#template, this.#calls, this.#order, this.#clock] = [template, calls, order, clock];
    this.hold = new Hold(table);
    this.#visible = new VisibleRows(
      table,
      (id) => this.#create(id),
      (id) => isTold(this.#rows.get(id), this.#needs(id)),
    );
    setInterval(() => this.#tick(), 1_000);
    setInterval(() => this.arrange(), ARRANGE_MS);
  }

  /** The ids of the rows in the order shown. */
  get ids() {
    return GROUPS.flatMap((group) => this.#shown[group]);
  }

  /** The element of the first row in sight, or null. */
  get first() {
    return this.#visible.first;
  }

  /** The ids of the rows in sight. */
  get inSight() {
    return this.ids.filter((id) => this.#visible.has(id));
  }

  /** Called when the rows in the page change. The page has only those in sight and some around. */
  set onScrolled(call) {
    this.#visible.onChange = call;
  }

  /** Gives a call's row the focus, even if it is out of sight. Returns false if the call has no row. */
  focus(id) {
    return this.#visible.focus(id);
  }

  /** Marks the row of the opened call; null for none. */
  set current(id) {
    const before = this.#current;
    this.#current = id;
    for (const each of [before, id]) this.#visible.views.get(each)?.setCurrent(each === id);
  }

  /** Draws the changed rows in the next frame for drawing. */
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

  /** Draws some of the changed rows now, those in sight first. */
  draw(most = DRAW_ROWS) {
    this.#drawn = performance.now();
    const changed = this.#calls.takeChanged();
    this.#late ||= changed.size > 0;
    let urgent = false;
    for (const id of changed) {
      const row = this.#calls.rows.get(id);
      if (!row) continue;
      if (!this.#rows.has(id)) {
        urgent = true;
        if (this.#started) this.#mark(id, "new"); // but not those that the page begins with
      }
      this.#rows.set(id, row);
      this.#undrawn.add(id);
      urgent ||= this.#isMisplaced(row);
    }
    if (urgent) this.arrange(!this.#started);
    for (const id of this.#undrawn) if (!this.#visible.views.has(id)) this.#undrawn.delete(id); // drawn when it comes in
    const rows = [...this.#undrawn].sort((a, b) => Number(this.#visible.has(b)) - Number(this.#visible.has(a)));
    for (const id of rows.slice(0, most)) this.#drawRow(this.#visible.views.get(id), id);
    if (this.#undrawn.size) this.schedule();
  }

  /** Puts the rows in order, except the held one. `force` moves that one too. */
  arrange(force = false) {
    if (!this.#late && !force) return;
    const rows = [...this.#calls.rows.values()].filter((row) => this.#rows.has(row.call_id) && this.#keep(row));
    const wanted = this.#order.arrange(rows, this.#column);
    const placed = force ? wanted : holding(this.#shown, wanted, this.hold.id);
    clearTimeout(this.#moving);
    this.#place(placed, force ? Infinity : MOVED_ROWS);
    this.#late = GROUPS.some((group) => String(this.#shown[group]) !== String(wanted[group]));
    const shown = new Set(this.ids);
    for (const id of this.#rows.keys()) if (!this.#calls.rows.has(id) && !shown.has(id)) this.#rows.delete(id);
    this.onArranged(placed);
  }

  /** Shows only rows that pass `keep`, by `column` ({value, descending}) or, with null, by need. */
  choose(keep, column) {
    [this.#keep, this.#column] = [keep, column];
    for (const id of this.#visible.views.keys()) this.#undrawn.add(id);
    this.schedule();
    if (this.#started) this.arrange(true);
  }

  /** Shows a snapshot. The first one fills the table at once and marks nothing as new. */
  refresh() {
    this.#late = true;
    this.draw(Infinity);
    this.arrange();
    this.#started = true;
  }

  /** Whether a call was raised, or a raised one ended, since the last ordering. That does not wait. */
  #isMisplaced(row) {
    const group = this.#order.group(row);
    const stands = this.#shown.needs.includes(row.call_id);
    return group === "needs" ? !stands && this.hold.id !== row.call_id && this.#keep(row) : group === "ended" && stands;
  }

  #needs = (id) => this.#order.group(this.#rows.get(id)) === "needs";

  #create(id) {
    const view = new RowView(this.#template, id);
    view.setCurrent(id === this.#current);
    if (this.#marks.has(id)) view.element.dataset.mark = this.#marks.get(id);
    this.#drawRow(view, id);
    return view;
  }

  #drawRow(view, id) {
    this.#undrawn.delete(id);
    view.update(this.#rows.get(id), this.#needs(id), this.viewer(), this.hit(this.#rows.get(id)), this.#spokeAt(id), this.#clock());
  }

  #spokeAt = (id) => (track) => this.#calls.spokeAt(id, track);

  #tick() {
    if (this.isStale()) return;
    const now = this.#clock();
    for (const [id, view] of this.#visible.views) if (view.row.state !== "ended") view.tick(this.#spokeAt(id), now);
    this.#calls.dropEnded(now);
    this.#calls.wake(now);
    this.draw();
  }

  /** Puts rows in this order. Of those that need attention only a few move now, the next ones a moment later. */
  #place(wanted, most) {
    const shown = new Set(this.ids);
    const needs = towardsHolding(this.#shown.needs, wanted.needs, most, this.hold.id);
    for (const id of movesBetween(this.#shown.needs, needs)) {
      if (shown.has(id)) this.#mark(id, "moved"); // elsewhere a move means little
    }
    this.#shown = { ...wanted, needs };
    if (this.#visible.place(this.#shown)) this.hold.release(); // the focus that it gave was not the supervisor's
    if (movesBetween(needs, wanted.needs).size) this.#moving = setTimeout(() => this.arrange(), MOVE_MS);
  }

  #mark(id, mark) {
    this.#marks.set(id, mark);
    const show = () => {
      const view = this.#visible.views.get(id);
      if (this.#marks.has(id)) view?.element.setAttribute("data-mark", this.#marks.get(id));
      else view?.element.removeAttribute("data-mark");
    };
    show();
    setTimeout(() => {
      this.#marks.delete(id);
      show();
    }, MARK_MS);
  }
}
