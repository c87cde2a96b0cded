// In the opened call: the person on it, the buttons to act, notes and tags.

import * as format from "../shared/wording/format.js";
import { helpInWords, handlingInWords, snoozeLeft, UNTOUCHED, wantsHelp } from "../shared/wording/handling.js";
import { _ } from "../shared/wording/language.js";

export class Desk {
  #parts = {};
  #acting;
  #id = null;
  #shown = "";
  #handling = UNTOUCHED;
  #writing = null; // id of the call to whose agent the supervisor wants to write unasked

  /** @param root the panel  @param acting an Acting */
  constructor(root, acting) {
    this.#acting = acting;
    for (const part of root.querySelectorAll("[data-desk]")) this.#parts[part.dataset.desk] = part;
    const { take, back, acknowledge, over, noteForm, tagForm, messageForm } = this.#parts;
    take.addEventListener("click", () => acting.set(this.#id, "taken"));
    back.addEventListener("click", () => acting.set(this.#id, "open"));
    acknowledge.addEventListener("click", () => acting.set(this.#id, "acknowledged"));
    over.addEventListener("click", () => acting.set(this.#id, "taken", { revision: this.#handling.revision }));
    for (const button of root.querySelectorAll("[data-snooze]")) {
      button.addEventListener("click", () => {
        acting.set(this.#id, "snoozed", { seconds: Number(button.dataset.snooze) });
        button.closest("details").open = false;
      });
    }
    onSubmit(noteForm, (text) => acting.note(this.#id, text));
    onSubmit(tagForm, (text) => acting.tag(this.#id, text));
    this.#parts.writeTo.addEventListener("click", () => {
      this.#writing = this.#id;
      this.#parts.helpBox.hidden = false;
      this.#parts.writeTo.closest("details").open = false;
      messageForm.elements[0].focus();
    });
    onSubmit(messageForm, (text) => acting.message(this.#id, text));
  }

  /** Puts the focus on Take. */
  reach() {
    this.#parts.take.focus();
  }

  /** Puts the cursor into the field for a note. */
  write() {
    this.#parts.box.open = true;
    this.#parts.noteForm.elements[0].focus();
  }

  /** @param row of the opened call  @param nowMs the server's clock */
  show(row, nowMs) {
    const { handling } = row;
    if (row.call_id !== this.#id) {
      for (const form of [this.#parts.noteForm, this.#parts.tagForm, this.#parts.messageForm]) form.reset();
    }
    [this.#id, this.#handling] = [row.call_id, handling];
    const left = handling.state === "snoozed" ? `, ${snoozeLeft(handling, nowMs)}` : "";
    const words = handlingInWords(row, this.#acting.me);
    this.#showHelp(row, nowMs);
    const key = JSON.stringify([row.call_id, row.state, words, left, handling, this.#acting.me]);
    if (key === this.#shown) return;
    this.#shown = key;
    const { who, take, back, acknowledge, over, snooze, notes, tags, count } = this.#parts;
    const taken = handling.state === "taken";
    const mine = taken && handling.by === this.#acting.me;
    const over_ = row.state === "ended";
    who.textContent = words ? words + left : over_ ? "" : _("Nobody is on it");
    who.dataset.state = words ? handling.state : "open";
    take.hidden = taken || over_;
    back.hidden = !mine && handling.state !== "snoozed" && !(handling.state === "acknowledged" && words);
    back.textContent = mine ? _("Hand back") : _("Undo");
    acknowledge.hidden = taken || over_ || handling.state === "snoozed" || (handling.state === "acknowledged" && words);
    snooze.hidden = taken || over_;
    over.hidden = !taken || mine || over_;
    over.textContent = _("Take over from {by}", { by: handling.by });
    count.textContent = handling.notes.length + handling.tags.length || "";
    notes.replaceChildren(...handling.notes.map(noteItem));
    tags.replaceChildren(...handling.tags.map((tag) => this.#tagItem(tag)));
  }

  /** The agent's question, and messages to the agent. */
  #showHelp(row, nowMs) {
    const { helpBox, help, messages, messageForm, writeTo } = this.#parts;
    const { handling } = row;
    const asks = wantsHelp(row);
    const answered = handling.help?.answered_at ? _("Help: {answered_by} answered", { answered_by: handling.help.answered_by }) : "";
    const told = asks ? helpInWords(handling, nowMs) : answered;
    if (help.textContent !== told) help.textContent = told;
    help.hidden = !told;
    helpBox.dataset.asks = asks ? "yes" : "no";
    messageForm.hidden = row.state !== "live";
    writeTo.hidden = messageForm.hidden;
    helpBox.hidden = !told && !handling.messages.length && this.#writing !== row.call_id;
    const key = JSON.stringify([row.call_id, handling.messages]);
    if (messages.dataset.shown === key) return;
    messages.dataset.shown = key;
    messages.replaceChildren(...handling.messages.map(noteItem));
  }

  #tagItem(tag) {
    const item = make("li", tag);
    const button = make("button", "×");
    button.type = "button";
    button.setAttribute("aria-label", _("Remove tag {tag}", { tag }));
    button.addEventListener("click", () => this.#acting.untag(this.#id, tag));
    item.append(" ", button);
    return item;
  }
}

function noteItem({ by, at, text }) {
  const item = document.createElement("li");
  const head = make("span", `${by}, ${format.clock(Date.parse(at))}`);
  head.className = "said-by";
  item.append(head, make("p", text));
  return item;
}

function make(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** Sends the text of the field, and empties the field once the server has taken it. */
function onSubmit(form, act) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = form.elements[0].value.trim();
    if (text && (await act(text))) form.reset();
  });
}
