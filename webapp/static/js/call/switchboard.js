// In the opened call: whisper, barge in, take over, hang up, where the call's metadata names its channel on the switch.

const BEGUN = {
  whisper: "Your phone rings. Only the agent will hear you.",
  barge: "Your phone rings. Both will hear you.",
  takeover: "Your phone rings. You will have the customer, and the agent is out.",
  hangup: "The call is hung up.",
};

export class Switchboard {
  #menu;
  #extension;
  #acting;
  #id = "";

  /** @param menu a details element; null where no switch is set up  @param acting an Acting */
  constructor(menu, acting) {
    [this.#menu, this.#acting] = [menu, acting];
    if (!menu) return;
    this.#extension = menu.querySelector("input");
    for (const button of menu.querySelectorAll("[data-switch]")) {
      button.addEventListener("click", () => this.#act(button.dataset.switch));
    }
    menu.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    menu.addEventListener("toggle", () => menu.open && this.#load(), { once: true });
  }

  /** @param row of the opened call */
  show(row) {
    this.#id = row.call_id;
    if (this.#menu) this.#menu.hidden = row.state !== "live" || !row.metadata.switch_channel;
  }

  async #load() {
    const told = await this.#acting.send("GET", "/v1/session/extension");
    if (told && !this.#extension.value) this.#extension.value = told.extension;
  }

  async #save() {
    const extension = this.#extension.value.trim();
    const told = await this.#acting.send("PUT", "/v1/session/extension", { extension });
    if (told) this.#acting.tell(extension ? `The switch calls you at ${extension}.` : "The switch does not call you.");
  }

  async #act(act) {
    const id = this.#id;
    if (act === "hangup" && !confirm("Hang this call up?")) return;
    this.#menu.open = false;
    const told = await this.#acting.send("POST", `/v1/calls/${encodeURIComponent(id)}/switch/${act}`);
    if (told) this.#acting.tell(BEGUN[act]);
  }
}
