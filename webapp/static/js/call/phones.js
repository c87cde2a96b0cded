// The menu of a row and that of the opened call by which a supervisor joins a call over the telephone switch.

import { isOnSwitch, Switchboard } from "../shared/switchboard.js";
import { RowMenu } from "../table/row_menu.js";

export class Phones {
  #opened;
  #inCall;
  #menu;

  /** @param opened the opened call's <details>  @param dialog the rows' <dialog>  @param acting an Acting  @param rows the
   * table and its calls, for a RowMenu */
  constructor(opened, dialog, acting, rows) {
    this.#opened = opened;
    this.#inCall = new Switchboard(opened, acting, () => (opened.open = false));
    opened.addEventListener("toggle", () => opened.open && this.#inCall.load());
    const inRow = new Switchboard(dialog.querySelector(".switch"), acting, () => this.#menu.close());
    const show = (row) => {
      inRow.show(row);
      inRow.load();
    };
    this.#menu = new RowMenu({ dialog, part: "phone", ...rows, show, fits: isOnSwitch });
  }

  /** Opens a row's menu. Returns false if the switch cannot act on the call. */
  open(id) {
    return this.#menu.open(id);
  }

  /** @param row of the opened call */
  show(row) {
    this.#opened.hidden = !isOnSwitch(row);
    this.#inCall.show(row);
  }
}
