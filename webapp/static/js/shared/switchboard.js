// Whisper, barge in, take over, hang up: in the opened call and in a row's menu, where the call's metadata names its
// channel on the switch.

import { titleOf } from "./live/store.js";
import { sure } from "./sure.js";
import { _ } from "./wording/language.js";

const BEGUN = {
  whisper: _("Your phone rings. Only the agent will hear you."),
  barge: _("Your phone rings. Both will hear you."),
  takeover: _("Your phone rings. You will have the customer, and the agent is out."),
  hangup: _("The call is hung up."),
};

/** Whether the switch can act on a call. */
export const isOnSwitch = ({ state, metadata }) => state === "live" && Boolean(metadata.switch_channel);

export class Switchboard {
  #extension;
  #acting;
  #done;
  #row = null;
  #asked = false;

  /** @param box holds the buttons and the form  @param acting an Acting  @param done called when an act was chosen */
  constructor(box, acting, done) {
    [this.#acting, this.#done] = [acting, done];
    this.#extension = box.querySelector("input");
    for (const button of box.querySelectorAll("[data-switch]")) {
      button.addEventListener("click", () => this.#act(button.dataset.switch));
    }
    box.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  /** @param row of the call that is meant */
  show(row) {
    this.#row = row;
  }

  /** Shows my extension, once. */
  async load() {
    if (this.#asked) return;
    this.#asked = true;
    const told = await this.#acting.send("GET", "/v1/session/extension");
    if (told && !this.#extension.value) this.#extension.value = told.extension;
  }

  async #save() {
    const extension = this.#extension.value.trim();
    const told = await this.#acting.send("PUT", "/v1/session/extension", { extension });
    if (told) this.#acting.tell(extension ? _("The switch calls you at {extension}.", { extension }) : _("The switch does not call you."));
  }

  #isSure(row) {
    const title = _("Hang up {call}?", { call: titleOf(row) });
    return sure(title, _("Everybody on this call is cut off at once."), _("Hang up"));
  }

  async #act(act) {
    const row = this.#row;
    if (act === "hangup" && !(await this.#isSure(row))) return;
    this.#done();
    const told = await this.#acting.send("POST", `/v1/calls/${encodeURIComponent(row.call_id)}/switch/${act}`);
    if (told) this.#acting.tell(BEGUN[act]);
  }
}
