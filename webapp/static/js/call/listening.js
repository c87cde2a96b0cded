// Listening in to the opened call: the button, the place in the audio, what is to be said about it.

import { mark } from "../shared/dom.js";
import * as format from "../shared/format.js";
import { Player } from "./player.js";

/** Less than this behind the newest is called live. */
const LIVE_SECONDS = 4;
const DRAW_MS = 250;

const NOTES = {
  stopped: "",
  playing: "",
  waiting: "Waiting for audio…",
  gone: "Earshot has no audio of this call.",
  refused: "You may not listen to calls.",
  failing: "The page could not fetch the audio. Trying again…",
};

export class Listening {
  #root;
  #parts = {};
  #player = new Player();
  #id = null;
  #timer = 0;
  #dragging = false;

  /** @param root the element with the parts [data-listen] */
  constructor(root) {
    this.#root = root;
    for (const part of root.querySelectorAll("[data-listen]")) this.#parts[part.dataset.listen] = part;
    const { play, live, place } = this.#parts;
    play.addEventListener("click", () => this.toggle());
    live.addEventListener("click", () => this.#player.toLive());
    place.addEventListener("input", () => (this.#dragging = true));
    place.addEventListener("change", () => {
      this.#dragging = false;
      this.#player.seek(Number(place.value));
    });
  }

  /** Another call was opened, or none: nobody goes on hearing one that is not before her eyes. */
  follow(id) {
    this.#stop();
    this.#id = id;
  }

  toggle() {
    if (!this.#id) return;
    if (this.#timer) {
      this.#stop();
      return;
    }
    this.#player.play(`/v1/calls/${encodeURIComponent(this.#id)}/audio`);
    this.#timer = setInterval(() => this.#draw(), DRAW_MS);
    this.#draw();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#player.stop();
    this.#draw();
  }

  #draw() {
    const { play, live, place, ago, note } = this.#parts;
    const { second, oldest, newest, state } = this.#player;
    const on = this.#timer !== 0;
    play.setAttribute("aria-pressed", on);
    mark(this.#root, "on", on ? "yes" : "no");
    const heard = on && second !== null;
    const behind = heard ? newest - second : 0;
    place.hidden = ago.hidden = !heard;
    live.hidden = !heard || (this.#player.live && behind < LIVE_SECONDS);
    text(note, NOTES[state]);
    if (!heard) {
      delete play.dataset.second;
      return;
    }
    play.dataset.second = second.toFixed(3);
    const told = behind < LIVE_SECONDS ? "live" : `${format.span(behind)} ago`;
    text(ago, told);
    if (this.#dragging) return;
    [place.min, place.max, place.value] = [oldest, newest, second].map((value) => value.toFixed(1));
    place.setAttribute("aria-valuetext", told);
  }
}

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}
