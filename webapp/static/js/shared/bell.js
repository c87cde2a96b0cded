// The bell: calls that wait for a supervisor. On demand it also tells by a notification and a sound.

import { mark } from "./dom.js";
import { sentence } from "./wording/card.js";
import { titleOf } from "./live/store.js";
import { _ } from "./wording/language.js";

const SOUND = "earshot.sound";
const DESKTOP = "earshot.desktop";
/** Least time between two, however many calls come at once. */
const PAUSE_MS = 3_000;
/** Calls whose story the bell tells. */
const STORIES = 8;
/** Longest that a notification waits for the story. */
const STORY_MS = 1_000;

export class Bell {
  #root;
  #parts = {};
  #acting;
  #backgrounds;
  #hear;
  #rows = [];
  #known = null;
  #shown = "";
  #untold = new Map(); // call_id -> row
  #pause = 0;
  #context = null;

  /**
   * @param root the <details>, which menus.js closes  @param acting an Acting  @param backgrounds a Backgrounds
   * @param hear opens a call and plays the words before its alert
   */
  constructor(root, acting, backgrounds, hear) {
    [this.#root, this.#acting, this.#backgrounds, this.#hear] = [root, acting, backgrounds, hear];
    for (const part of root.querySelectorAll("[data-bell]")) this.#parts[part.dataset.bell] = part;
    const { sound, desktop } = this.#parts;
    sound.checked = localStorage.getItem(SOUND) === "on";
    desktop.checked = localStorage.getItem(DESKTOP) === "on" && globalThis.Notification?.permission === "granted";
    sound.addEventListener("change", () => {
      localStorage.setItem(SOUND, sound.checked ? "on" : "off");
      if (sound.checked) this.#chime();
    });
    desktop.addEventListener("change", () => this.#allowDesktop());
    root.addEventListener("toggle", () => this.#tellStories());
    // A browser keeps silent until the page was touched once: make ready at the first touch.
    addEventListener("pointerdown", () => sound.checked && this.#wake(), { once: true });
    addEventListener("keydown", () => sound.checked && this.#wake(), { once: true });
  }

  open() {
    this.#root.open = true;
    this.#root.querySelector("summary").focus();
  }

  /** @param rows that wait for a supervisor, the most urgent first */
  update(rows) {
    const ids = rows.map((row) => row.call_id);
    const fresh = this.#known ? rows.filter((row) => !this.#known.has(row.call_id)) : [];
    this.#known = new Set(ids);
    this.#show(rows);
    for (const row of fresh) this.#untold.set(row.call_id, row);
    for (const id of this.#untold.keys()) if (!this.#known.has(id)) this.#untold.delete(id);
    if (!this.#pause) this.#tell();
  }

  /** Tells the news, at once or after the pause. */
  #tell() {
    const { sound, desktop } = this.#parts;
    const rows = [...this.#untold.values()];
    this.#untold.clear();
    if (!rows.length || !(sound.checked || desktop.checked)) return;
    if (sound.checked) this.#chime();
    if (desktop.checked) this.#notify(rows);
    this.#pause = setTimeout(() => {
      this.#pause = 0;
      this.#tell();
    }, PAUSE_MS);
  }

  #show(rows) {
    const lines = rows.map((row) => [row.call_id, titleOf(row), sentence(row, this.#acting.me)]);
    const key = JSON.stringify(lines);
    this.#rows = rows;
    if (key === this.#shown) return;
    this.#shown = key;
    const { count, list, none } = this.#parts;
    count.textContent = rows.length;
    mark(this.#root, "ringing", rows.length ? "yes" : "no");
    none.hidden = rows.length > 0;
    list.replaceChildren(...lines.map((line) => this.#item(...line)));
    this.#tellStories();
  }

  /** Fills in the parts that the page fetches only when somebody looks. */
  async #tellStories() {
    if (!this.#root.open) return;
    for (const [n, row] of this.#rows.slice(0, STORIES).entries()) {
      const { story } = await this.#backgrounds.of(row);
      const item = this.#parts.list.children[n];
      if (item?.dataset.callId === row.call_id) item.querySelector(".story").textContent = story;
    }
  }

  #item(id, name, why) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#/calls/${encodeURIComponent(id)}`;
    link.textContent = name;
    link.addEventListener("click", () => (this.#root.open = false));
    const words = document.createElement("span");
    words.textContent = why;
    const story = document.createElement("span");
    story.className = "story";
    const doing = document.createElement("div");
    doing.append(
      button(_("Hear"), _("Hear {name} from ten seconds before", { name }), () => {
        this.#root.open = false;
        this.#hear(id);
      }),
      button(_("Acknowledge"), _("Acknowledge {name}", { name }), () => this.#acting.set(id, "acknowledged")),
    );
    item.dataset.callId = id;
    item.append(link, words, story, doing);
    return item;
  }

  async #allowDesktop() {
    const { desktop } = this.#parts;
    if (desktop.checked && globalThis.Notification?.permission !== "granted") {
      desktop.checked = (await globalThis.Notification?.requestPermission()) === "granted";
      if (!desktop.checked) this.#acting.tell(_("This browser does not allow notifications here."));
    }
    localStorage.setItem(DESKTOP, desktop.checked ? "on" : "off");
  }

  async #notify(rows) {
    const [row] = rows;
    const later = new Promise((done) => setTimeout(() => done({ story: "" }), STORY_MS));
    const { story } = await Promise.race([this.#backgrounds.of(row), later]);
    const more = rows.length > 1 ? _(" (and {n} more)", { n: rows.length - 1 }) : "";
    // The tag: of several windows of one browser, the last one's notification replaces the others'.
    const told = new Notification(titleOf(row) + more, { body: [sentence(row, this.#acting.me), story].filter(Boolean).join("\n"), tag: row.call_id });
    told.onclick = () => {
      window.focus();
      location.hash = `#/calls/${encodeURIComponent(row.call_id)}`;
      told.close();
    };
  }

  #wake() {
    this.#context ??= new AudioContext();
    return this.#context.resume();
  }

  /** Two short tones, a fourth apart. */
  async #chime() {
    await this.#wake();
    const now = this.#context.currentTime;
    for (const [hertz, after] of [[660, 0], [880, 0.16]]) {
      const tone = new OscillatorNode(this.#context, { frequency: hertz });
      const volume = new GainNode(this.#context, { gain: 0 });
      volume.gain.setTargetAtTime(0.2, now + after, 0.01);
      volume.gain.setTargetAtTime(0, now + after + 0.1, 0.05);
      tone.connect(volume).connect(this.#context.destination);
      tone.start(now + after);
      tone.stop(now + after + 0.5);
    }
  }
}

function button(text, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}
