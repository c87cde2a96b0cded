// Listening to the opened call: live, from any moment that is kept, or its recording. The button, the position, and the
// words beside them.

import { mark } from "../shared/dom.js";
import * as format from "../shared/wording/format.js";
import { FilePlayer } from "./file_player.js";
import { Player } from "./player.js";
import { drawPlace, drawWave } from "./waveform.js";
import { _ } from "../shared/wording/language.js";

/** Seconds behind the newest within which the sound counts as live. */
const LIVE_SECONDS = 4;
/** Seconds before a moment at which its sound starts, so that the listener knows why. */
const BEFORE_SECONDS = 3;
/** Seconds from the end within which an ended call counts as played. */
const END_SECONDS = 0.3;
const DRAW_MS = 100;
/** Time between two looks for the recording of a call that has just ended, and the number of looks. */
const LOOK_MS = 5_000;
const LOOKS = 12;

const NOTES = {
  stopped: "",
  playing: "",
  waiting: _("Waiting for audio…"),
  gone: _("Earshot has no audio of this call."),
  refused: _("You may not listen to calls."),
  failing: _("The page could not fetch the audio. Trying again…"),
};

/** States that do not change for an ended call. */
const NEVER = new Set(["gone", "refused"]);

export class Listening {
  #root;
  #parts = {};
  #stream = new Player();
  #file = new FilePlayer();
  /** @type {Player | FilePlayer} */
  #player = this.#stream;
  #recording = null; // facts about the call's recording, if there is one
  #looked = { at: 0, times: 0 };
  #id = null;
  #ended = false;
  #start = 0; // second where an ended call begins to play
  #until = Infinity; // second where it stops by itself
  #timer = 0;
  #dragging = false;

  /** Called with the second of the call that plays; null when nothing does. */
  onHeard = (_second) => {};

  /** @param root the element with the parts [data-listen]  @param play the button */
  constructor(root, play) {
    [this.#root, this.#parts.play] = [root, play];
    for (const part of root.querySelectorAll("[data-listen]")) this.#parts[part.dataset.listen] = part;
    const { live, place, wave, speed } = this.#parts;
    speed?.addEventListener("change", () => (this.#file.speed = Number(speed.value)));
    wave?.addEventListener("click", (event) => {
      const { left, width } = wave.getBoundingClientRect();
      this.#play(((event.clientX - left) / width) * this.#recording.seconds);
    });
    play.addEventListener("click", () => this.toggle());
    live.addEventListener("click", () => this.#play(null));
    place.addEventListener("input", () => (this.#dragging = true));
    place.addEventListener("change", () => {
      this.#dragging = false;
      this.#until = Infinity;
      if (this.#timer) this.#player.seek(Number(place.value));
      else this.#play(Number(place.value));
    });
  }

  /** Another call was opened, or none. The sound stops: nobody should hear a call that they do not see. */
  follow(id) {
    this.#stop();
    [this.#id, this.#start] = [id, 0];
    this.#looked = { at: 0, times: 0 };
    this.#know(null, []);
  }

  /** @param ended whether the opened call has ended  @param worst second of its worst moment, or null  @param utterances its words */
  show(ended, worst, utterances) {
    [this.#ended, this.#start] = [ended, worst ?? 0];
    const { at, times } = this.#looked;
    if (!ended || this.#recording || !this.#parts.wave || times >= LOOKS || Date.now() - at < LOOK_MS) return;
    this.#looked = { at: Date.now(), times: times + 1 };
    this.#look(utterances);
  }

  async #look(utterances) {
    const id = this.#id;
    const answer = await fetch(`${this.#address()}/recording`).catch(() => null);
    const about = answer?.ok ? await answer.json() : null;
    if (about && id === this.#id) this.#know(about, utterances);
  }

  #know(about, utterances) {
    const { wave, place, speed } = this.#parts;
    this.#recording = about;
    mark(this.#root, "recorded", about ? "yes" : "no");
    if (!wave) return;
    wave.toggleAttribute("hidden", !about);
    speed.hidden = !about;
    if (!about) return;
    drawWave(wave, about, utterances);
    this.#file.newest = about.seconds;
    [place.min, place.max, place.value, place.hidden] = ["0", about.seconds.toFixed(1), "0", false];
    place.setAttribute("aria-valuetext", _("{second} of {length}", { second: format.duration(0), length: format.duration(about.seconds) }));
  }

  /** Starts to play, a live call live and an ended one at its worst moment; or stops. */
  toggle() {
    if (this.#timer) this.#stop();
    else if (this.#ended) this.from(this.#start);
    else this.#play(null);
  }

  /** Plays from some seconds before a moment of the call. @param seconds how much of it; all that follows if not given */
  from(second, { before = BEFORE_SECONDS, seconds = Infinity } = {}) {
    const start = Math.max(0, second - before);
    this.#play(start, start + seconds);
  }

  #play(second, until = Infinity) {
    if (!this.#id) return;
    this.#until = until;
    this.#player.stop();
    this.#player = this.#recording ? this.#file : this.#stream;
    this.#player.play(`${this.#address()}/${this.#recording ? "recording/sound" : "audio"}`, second);
    this.#timer ||= setInterval(() => this.#draw(), DRAW_MS);
    this.#draw();
  }

  #address() {
    return `/v1/calls/${encodeURIComponent(this.#id)}`;
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#player.stop();
    this.#draw();
    this.onHeard(null);
  }

  #draw() {
    const { play, live, place, ago, note, wave } = this.#parts;
    const { second, oldest, newest, state } = this.#player;
    const on = this.#timer !== 0;
    const heard = on && second !== null;
    const behind = heard ? newest - second : 0;
    if (heard && ((this.#ended && behind < END_SECONDS) || second >= this.#until)) {
      this.#stop();
      return;
    }
    if (on && this.#ended && NEVER.has(state)) {
      this.#stop();
      text(note, NOTES[state]);
      return;
    }
    play.setAttribute("aria-pressed", on);
    mark(this.#root, "on", on ? "yes" : "no");
    ago.hidden = !heard;
    place.hidden = !heard && !this.#recording;
    if (wave) drawPlace(wave, heard ? second : null);
    live.hidden = this.#ended || !heard || (this.#player.live && behind < LIVE_SECONDS);
    text(note, NOTES[state]);
    if (!heard) {
      delete play.dataset.second;
      return;
    }
    play.dataset.second = second.toFixed(3);
    this.onHeard(second);
    const told = this.#ended ? _("{second} of {length}", { second: format.duration(second), length: format.duration(newest) }) : since(behind);
    text(ago, told);
    if (this.#dragging) return;
    [place.min, place.max, place.value] = [oldest, newest, second].map((value) => value.toFixed(1));
    place.setAttribute("aria-valuetext", told);
  }
}

const since = (behind) => (behind < LIVE_SECONDS ? _("live") : _("{time} ago", { time: format.span(behind) }));

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}
