// The card beside a row under the resting pointer or with the focus: why the call needs somebody, its story, and
// buttons to act at once. Its keys work on the row, so it never takes the focus.

import { earlierLink } from "../call/earlier.js";
import { sentence } from "../shared/wording/card.js";
import { wantsHelp } from "../shared/wording/handling.js";
import { titleOf } from "../shared/live/store.js";

/** Time that the pointer or the focus rests before the card comes. */
const REST_MS = 500;
/** Time that the pointer may be between row and card. */
const LEAVE_MS = 250;
const EARLIER = 3;
const GAP = 4;

export class Peek {
  #box;
  #parts = {};
  #more;
  #id = null;
  #timer = 0;
  #types = false; // whether the reader types elsewhere: rows then come under the resting pointer by themselves
  #wide = matchMedia("(min-width: 900px)");

  /**
   * @param box the card  @param table the element with the rows
   * @param more rows (call_id -> row), judging (a Judging of one question), acting, backgrounds, opened() -> id, hear(id)
   */
  constructor(box, table, more) {
    [this.#box, this.#more] = [box, more];
    for (const part of box.querySelectorAll("[data-card]")) this.#parts[part.dataset.card] = part;
    table.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#soon(rowOf(event)));
    table.addEventListener("pointerleave", () => this.#leave());
    table.addEventListener("pointermove", (event) => this.#types && event.pointerType === "mouse" && this.#returns(event), { passive: true });
    table.addEventListener("focusin", (event) => this.#returns(event));
    table.addEventListener("focusout", () => this.#leave());
    table.parentElement.addEventListener("scroll", () => this.hide(), { passive: true });
    addEventListener("input", ({ target }) => {
      if (box.contains(target)) return;
      this.#types = true;
      this.hide();
    });
    box.addEventListener("pointerenter", () => clearTimeout(this.#timer));
    box.addEventListener("pointerleave", () => this.#leave());
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#box.hidden) return;
      event.stopImmediatePropagation();
      this.hide();
    }, { capture: true });
    const { hear, take } = this.#parts;
    hear.addEventListener("click", () => this.#more.hear(this.#id));
    take.addEventListener("click", () => this.#more.acting.take(this.#id));
  }

  hide() {
    clearTimeout(this.#timer);
    this.#box.hidden = true;
    document.querySelector("[aria-describedby=peek]")?.removeAttribute("aria-describedby");
    this.#id = null;
  }

  /** These calls have changed. */
  refresh(ids) {
    if (this.#id && ids.includes(this.#id)) this.#draw();
  }

  #returns(event) {
    this.#types = false;
    this.#soon(rowOf(event));
  }

  #soon(row) {
    const id = row?.dataset.callId;
    clearTimeout(this.#timer);
    if (id && id === this.#id) return;
    this.#timer = setTimeout(() => this.#show(row), this.#box.hidden ? REST_MS : LEAVE_MS);
  }

  #leave() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), LEAVE_MS);
  }

  #show(element) {
    const id = element?.dataset.callId;
    const row = this.#more.rows.get(id);
    this.hide();
    if (this.#types || !row || !element.isConnected || !this.#wide.matches || id === this.#more.opened()) return;
    if (row.state === "ended" || !(row.raised || wantsHelp(row))) return;
    this.#id = id;
    this.#parts.story.textContent = "";
    this.#parts.earlier.replaceChildren();
    this.#draw();
    element.querySelector("a").setAttribute("aria-describedby", "peek");
    this.#box.hidden = false;
    this.#place(element.getBoundingClientRect(), element.querySelector("[data-field=sentiment]"));
    this.#fill(row, element);
  }

  #draw() {
    const row = this.#more.rows.get(this.#id);
    if (!row) return this.hide();
    const { title, why, take } = this.#parts;
    title.textContent = titleOf(row);
    why.textContent = sentence(row, this.#more.acting.me);
    take.hidden = row.handling.state === "taken";
    this.#more.judging.show(row);
  }

  async #fill(row, element) {
    const { story, earlier } = await this.#more.backgrounds.of(row);
    if (this.#id !== row.call_id || !element.isConnected) return;
    this.#parts.story.textContent = story;
    this.#parts.earlier.replaceChildren(...earlier.slice(0, EARLIER).map((call) => {
      const item = document.createElement("li");
      item.append(earlierLink(call));
      return item;
    }));
    this.#place(element.getBoundingClientRect(), element.querySelector("[data-field=sentiment]"));
  }

  /** Under the row, or above it where there is no room. */
  #place(row, column) {
    const { style, offsetHeight, offsetWidth } = this.#box;
    const below = row.bottom + GAP + offsetHeight < innerHeight;
    style.top = `${below ? row.bottom + GAP : Math.max(GAP, row.top - GAP - offsetHeight)}px`;
    style.left = `${Math.min(column.getBoundingClientRect().left, innerWidth - offsetWidth - 16)}px`;
  }
}

const rowOf = ({ target }) => target.closest("tr[data-call-id]");
