// In the opened call: what it is about, with the words that show it. For a live call it asks again as the call goes on.

import { mark } from "../shared/dom.js";
import { duration, party } from "../shared/wording/format.js";
import { gistLines, modelLines } from "./summary.js";
import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

/** Least time between two requests. */
const AGAIN_MS = 3_000;
/** Whether the viewer keeps it unfolded. */
const OPEN = "earshot.about";

export class Gist {
  #box;
  #parts = {};
  #jump;
  #id = null;
  #timer = 0;
  #asked = 0;

  /** Called with the points of the answer. */
  onTold = (_points) => {};

  /** @param box the <details> with the parts [data-gist]  @param jump shows the utterance of an id, said at a second */
  constructor(box, jump) {
    [this.#box, this.#jump] = [box, jump];
    for (const part of box.querySelectorAll("[data-gist]")) this.#parts[part.dataset.gist] = part;
    box.open = localStorage.getItem(OPEN) === "yes";
    box.addEventListener("toggle", () => localStorage.setItem(OPEN, box.open ? "yes" : "no"));
  }

  /** Another call was opened, or none. */
  follow(id) {
    clearTimeout(this.#timer);
    [this.#id, this.#timer] = [id, 0];
    this.#asked++;
    this.#box.hidden = true;
  }

  /** Why the customer calls, as the feed says it. */
  about(words) {
    const shown = words ? `“${words}”` : "";
    if (this.#parts.about.textContent !== shown) this.#parts.about.textContent = shown;
    if (words) this.#box.hidden = false;
  }

  /** Something was said: asks soon. */
  soon() {
    this.#timer ||= setTimeout(() => this.load(), AGAIN_MS);
  }

  async load() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.#id) return;
    const asked = ++this.#asked;
    const answer = await fetch(`/v1/calls/${encodeURIComponent(this.#id)}/summary`).catch(() => null);
    const told = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!told || asked !== this.#asked) return;
    this.#show(told);
    this.onTold(told.points);
  }

  #show(told) {
    const { points, model, by, said, stands } = this.#parts;
    const lines = gistLines(told);
    this.#box.hidden = !lines.length && !told.by_model;
    this.about(told.points.find(({ part }) => part === "reason")?.quote ?? "");
    stands.textContent = inWords(told.points.find(({ part }) => part === "outcome")?.text ?? "");
    mark(this.#box, "final", told.final ? "yes" : "no");
    model.hidden = !told.by_model;
    by.textContent = told.by_model?.model ?? "";
    said.replaceChildren(...(told.by_model ? modelLines(told.by_model) : []).flatMap(([name, text]) => [made("dt", name), made("dd", text)]));
    points.replaceChildren(...lines.flatMap((line) => [made("dt", line.label), this.#line(line)]));
  }

  #line({ text, quote, track, at, id }) {
    const line = document.createElement("dd");
    const button = made("button", `“${quote}”`);
    button.type = "button";
    button.title = _("{time} {track}: shows these words", { time: duration(at), track: party(track) });
    button.addEventListener("click", () => this.#jump(id, at));
    if (text) line.append(made("span", `${text}: `));
    line.append(button);
    return line;
  }
}

function made(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
