// The rows in the page: those in sight and some around them, so that 500 calls cost as much as 30. Gaps between them are
// as high as the missing rows.

import { mark } from "../shared/dom.js";
import { GROUPS, movesBetween } from "./order.js";

/** Heights of the window above and below it in which rows are in the page too, ready for scrolling. */
const AROUND = 0.5;

export class VisibleRows {
  /** call_id -> RowView of the rows that stand in the page. */
  views = new Map();
  #table;
  #scroller;
  #create;
  #isTold;
  #bodies = {};
  #heads = {};
  #order = {}; // group -> ids of all its rows
  #standing = {}; // group -> ids of its rows in the page
  #places = new Map(); // call_id -> {top, bottom} in the scrolled content, and its row's number in the table
  #heights = { plain: 0, told: 0 };
  #seen = { top: 0, bottom: 0 };
  #printing = matchMedia("print");

  /** Called when rows came into the page or left it. */
  onChange = () => {};

  /**
   * @param table the table; its parent scrolls it
   * @param create id -> its RowView, drawn
   * @param isTold id -> whether its row has lines of alerts: then it is higher where rows are cards
   */
  constructor(table, create, isTold) {
    [this.#table, this.#create, this.#isTold] = [table, create, isTold];
    this.#scroller = table.parentElement;
    for (const group of GROUPS) {
      this.#bodies[group] = table.querySelector(`tbody[data-group=${group}]`);
      this.#heads[group] = [...this.#bodies[group].rows];
      this.#order[group] = this.#standing[group] = [];
    }
    this.#scroller.addEventListener("scroll", () => this.#fill(), { passive: true });
    new ResizeObserver(() => this.#measure()).observe(this.#scroller);
    this.#printing.addEventListener("change", () => this.#fill());
  }

  /** Shows these rows, group -> ids in order. Returns whether the row with the focus had to be moved. */
  place(order) {
    this.#order = order;
    for (const group of GROUPS) mark(this.#bodies[group], "empty", order[group].length ? "no" : "yes");
    return this.#fill();
  }

  /** Whether a row is in sight. */
  has(id) {
    const place = this.#places.get(id);
    return Boolean(place) && place.bottom > this.#seen.top && place.top < this.#seen.bottom;
  }

  /** The element of the first row in sight, or null. */
  get first() {
    const id = GROUPS.flatMap((group) => this.#standing[group]).find((id) => this.has(id));
    return this.views.get(id)?.element ?? null;
  }

  /** Scrolls just far enough to show a row, and gives it the focus. Returns whether there is such a row. */
  focus(id) {
    const place = this.#places.get(id);
    if (!place) return false;
    const { scrollTop, clientHeight } = this.#scroller;
    const [least, most] = [place.bottom - clientHeight, place.top - this.#table.tHead.offsetHeight];
    if (scrollTop < least || scrollTop > most) this.#scroller.scrollTop = scrollTop < least ? least : most;
    this.#fill();
    this.views.get(id).link.focus({ preventScroll: true });
    return true;
  }

  /** Reads the heights of rows from the style sheet, which depend on the width. */
  #measure() {
    const style = getComputedStyle(this.#table);
    const [plain, told] = ["--row-height", "--told-height"].map((name) => parseFloat(style.getPropertyValue(name)));
    this.#heights = { plain, told };
    this.#fill();
  }

  /** Puts the rows that belong there into the page. Returns whether it had to move the one with the focus. */
  #fill() {
    const active = /** @type {?HTMLElement} */ (document.activeElement);
    const focused = this.#table.contains(active) ? active : null;
    const wanted = this.#look();
    wanted.add(focused?.closest("tr").dataset.callId);
    let changed = false;
    for (const [id, { element }] of this.views) {
      if (wanted.has(id) && this.#places.has(id)) continue;
      element.remove();
      this.views.delete(id);
      changed = true;
    }
    for (const group of GROUPS) changed = this.#lay(group, wanted) || changed;
    const moved = focused?.isConnected && focused !== document.activeElement;
    if (moved) focused.focus({ preventScroll: true });
    if (changed) this.onChange();
    return Boolean(moved);
  }

  /** Finds every row's place. Returns the ids of those in sight or near it. */
  #look() {
    const { scrollTop, clientHeight } = this.#scroller;
    this.#seen = { top: scrollTop, bottom: scrollTop + clientHeight };
    const [from, to] = [scrollTop - AROUND * clientHeight, scrollTop + (1 + AROUND) * clientHeight];
    const wanted = new Set();
    this.#places.clear();
    let bottom = this.#table.tHead.offsetHeight;
    let number = 1;
    for (const group of GROUPS) {
      for (const head of this.#heads[group]) {
        bottom += head.offsetHeight;
        if (!head.offsetHeight) continue;
        number += 1;
        head.ariaRowIndex = number;
      }
      for (const id of this.#order[group]) {
        const top = bottom;
        bottom += this.#isTold(id) ? this.#heights.told : this.#heights.plain;
        number += 1;
        this.#places.set(id, { top, bottom, number });
        if (this.#printing.matches || (bottom > from && top < to)) wanted.add(id);
      }
    }
    this.#table.ariaRowCount = number;
    return wanted;
  }

  /** Brings one group into the wanted order. Moves no row that is in its place. Returns whether any came or moved. */
  #lay(group, wanted) {
    const body = this.#bodies[group];
    const ids = this.#order[group].filter((id) => wanted.has(id));
    const moves = movesBetween(this.#standing[group], ids);
    const gaps = [...body.querySelectorAll(".gap")];
    let next = null;
    const insert = (element) => {
      if (element.parentNode !== body || element.nextSibling !== next) body.insertBefore(element, next);
      next = element;
    };
    const leave = (height) => {
      if (!height) return;
      const gap = gaps.pop() ?? newGap();
      gap.style.height = `${height}px`;
      insert(gap);
    };
    let below = this.#places.get(this.#order[group].at(-1))?.bottom;
    for (const id of ids.toReversed()) {
      const { top, bottom, number } = this.#places.get(id);
      leave(below - bottom);
      below = top;
      if (!this.views.has(id)) this.views.set(id, this.#create(id));
      const { element } = this.views.get(id);
      element.ariaRowIndex = number;
      if (moves.has(id)) insert(element);
      else next = element;
    }
    if (this.#order[group].length) leave(below - this.#places.get(this.#order[group][0]).top);
    for (const gap of gaps) gap.remove();
    this.#standing[group] = ids;
    return moves.size > 0;
  }
}

function newGap() {
  const gap = document.createElement("tr");
  gap.className = "gap";
  gap.ariaHidden = "true";
  return gap;
}
