// A supervisor's acts on a call: asks the server, and tells her if that failed. The feed shows the result to
// everybody; the answer only shows it sooner.

import { newestAlert } from "../wording/handling.js";
import { ask } from "./session.js";
import { _ } from "../wording/language.js";

const NAME = "earshot.name";
const SAID_MS = 6_000;

export class Acting {
  #calls;
  #dialog;
  #said;
  #timer = 0;
  #onChange;
  #user;
  #token;

  /** @param calls the store  @param dialog asks for a name where nobody signs in  @param said shows refusals */
  constructor({ calls, dialog, said, onChange }) {
    [this.#calls, this.#dialog, this.#said, this.#onChange] = [calls, dialog, said, onChange];
    this.#user = document.documentElement.dataset.user ?? "";
    this.#token = /** @type {?HTMLMetaElement} */ (document.querySelector("meta[name=csrf-token]"))?.content ?? "";
  }

  /** The viewer's name: that of her sign-in or, with AUTH=off, the one she typed. "" while unknown. */
  get me() {
    return this.#user || localStorage.getItem(NAME) || "";
  }

  /** Takes the call, or hands it back if it is hers. */
  take(id) {
    const handling = this.#calls.rows.get(id)?.handling;
    if (handling?.state === "taken" && handling.by === this.me) return this.set(id, "open");
    return this.set(id, "taken");
  }

  /** @param more `seconds` of a snooze, `revision` to take a call over from another */
  set(id, state, more = {}) {
    const row = this.#calls.rows.get(id);
    const seen = row && ["taken", "acknowledged"].includes(state) ? { seen: newestAlert(row) } : {};
    return this.#ask(id, "PUT", "handling", { state, ...seen, ...more });
  }

  note = (id, text) => this.#ask(id, "POST", "notes", { text });
  message = (id, text) => this.#ask(id, "POST", "messages", { text });
  tag = (id, tag) => this.#ask(id, "PUT", `tags/${encodeURIComponent(tag)}`);
  untag = (id, tag) => this.#ask(id, "DELETE", `tags/${encodeURIComponent(tag)}`);

  /** Judges an alert as right or not needed. @param judgement `right`, and perhaps `why` not */
  judge = (id, alert, judgement) => this.#ask(id, "PUT", `judgements/${encodeURIComponent(alert)}`, judgement);

  /** Returns whether it was done. */
  async #ask(id, method, path, body = null) {
    const by = await this.signature();
    if (!by) return false;
    const query = body || this.#user ? "" : `?${new URLSearchParams(by)}`;
    const told = await this.send(method, `/v1/calls/${encodeURIComponent(id)}/${path}${query}`, body && { ...body, ...by });
    if (told) this.#onChange({ kind: "handling", call_id: id, handling: told });
    return told !== null;
  }

  /** What names the viewer to the server: nothing where she has signed in, else {by}. null: she did not say. */
  async signature() {
    if (!this.me && !(await this.#askName())) return null;
    return this.#user ? {} : { by: this.me };
  }

  /** The server's answer; null if it refused, and then the viewer is told. @param body JSON, or a text of another kind */
  async send(method, url, body = null, kind = "application/json") {
    const headers = { "X-CSRF-Token": this.#token, ...(body !== null && { "Content-Type": kind }) };
    try {
      const sent = body === null || typeof body === "string" ? body : JSON.stringify(body);
      const answer = await ask(url, { method, headers, body: sent });
      const told = await answer.json();
      if (answer.ok) return told;
      if (answer.status !== 401) this.tell(told.detail || told.title);
    } catch {
      this.tell(_("The server did not answer. Nothing has changed."));
    }
    return null;
  }

  /** Says something to the viewer, for a while. */
  tell(text) {
    this.#said.textContent = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#said.textContent = ""), SAID_MS);
  }

  #askName() {
    const field = this.#dialog.querySelector("input");
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    return new Promise((done) =>
      this.#dialog.addEventListener(
        "close",
        () => {
          const name = this.#dialog.returnValue === "ok" ? field.value.trim() : "";
          if (name) localStorage.setItem(NAME, name);
          done(name !== "");
        },
        { once: true },
      ),
    );
  }
}
