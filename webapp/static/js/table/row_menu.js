// A menu of a row: a dialog about one call without opening it. A button in the row opens it, and so may a key.

import { customerOf } from "../shared/live/store.js";
import { _ } from "../shared/wording/language.js";

export class RowMenu {
  #dialog;
  #calls;
  #part;
  #show;
  #fits;
  #id = null;

  /**
   * @param dialog a <dialog>  @param part of a row: the button  @param table of the calls  @param calls the store
   * @param show draws a row of the store in the dialog  @param fits whether a row has this menu
   */
  constructor({ dialog, part, table, calls, show, fits = () => true }) {
    [this.#dialog, this.#part, this.#calls, this.#show, this.#fits] = [dialog, part, calls, show, fits];
    // A press on the button does not open the call; Escape in here closes nothing else.
    table.addEventListener("click", (event) => this.#pressed(event), true);
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
  }

  /** Opens it for a call. Returns false if the call is not in the table, or has no such menu. */
  open(id) {
    const row = this.#calls.rows.get(id);
    if (!row || !this.#fits(row)) return false;
    this.#id = id;
    this.follow();
    this.#dialog.showModal();
    return true;
  }

  close() {
    this.#dialog.close();
  }

  /** Updates it if it is open. */
  follow() {
    const row = this.#calls.rows.get(this.#id);
    if (!row) return;
    const people = [row.metadata.agent, customerOf(row)].filter(Boolean).join(_(" and "));
    this.#dialog.querySelector("[data-menu=call]").textContent = people || row.call_id;
    this.#show(row);
  }

  #pressed(event) {
    const button = event.target.closest(`[data-part=${this.#part}]`);
    if (!button) return;
    event.stopPropagation();
    this.open(button.closest("tr[data-call-id]").dataset.callId);
  }
}
