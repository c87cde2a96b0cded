// A row's menu: judging a call's alerts without opening the call. Its button is in the row, its key is v.

import { customerOf } from "../shared/live/store.js";
import { Judging } from "./judging.js";

export class JudgingMenu {
  #dialog;
  #judging;
  #calls;
  #id = null;

  /** @param dialog a <dialog>  @param table of the calls  @param calls the store  @param acting an Acting */
  constructor(dialog, table, calls, acting) {
    [this.#dialog, this.#calls] = [dialog, calls];
    this.#judging = new Judging(dialog.querySelector("ul"), acting);
    // A press on the button does not open the call; Escape in here closes nothing else.
    table.addEventListener("click", (event) => this.#pressed(event), true);
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
  }

  /** Opens it for a call. Returns false if the call is not in the table. */
  open(id) {
    if (!this.#calls.rows.has(id)) return false;
    this.#id = id;
    this.follow();
    this.#dialog.showModal();
    return true;
  }

  /** Brings it up to date, if it is open. */
  follow() {
    const row = this.#calls.rows.get(this.#id);
    if (!row) return;
    const people = [row.metadata.agent, customerOf(row)].filter(Boolean).join(" and ");
    this.#dialog.querySelector("[data-judging=call]").textContent = people || row.call_id;
    this.#judging.show(row);
  }

  #pressed(event) {
    const button = event.target.closest("[data-part=judge]");
    if (!button) return;
    event.stopPropagation();
    this.open(button.closest("tr[data-call-id]").dataset.callId);
  }
}
