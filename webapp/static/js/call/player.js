// Plays a call's audio, piece after piece, in Web Audio: live, a little behind the newest, or from any second that is
// still kept. It knows nothing of the page.
//
// Each piece starts where the one before it ends, so nothing plays twice and nothing is left out. `base` ties the two
// clocks: second s of the call plays at base + s of the audio context's time.

import { ask } from "../shared/live/session.js";

/** Time between two requests at the live edge. */
const POLL_MS = 250;
const RETRY_MS = 1_000;
/** Delay of a piece that should play at once: the audio thread must have it before. */
const CUSHION_SECONDS = 0.25;
/** Seconds fetched ahead, where more than the present is kept. */
const AHEAD_SECONDS = 4;
/** Slack beyond the cushion from which the voice plays a little faster, to catch up. */
const WASTE_SECONDS = 0.2;
const HURRY = 1.04; // two thirds of a semitone
const SLACKS = 4;
/** Gap at the live edge from which the player skips instead of catching up. */
const LEAP_SECONDS = 2;

export class Player {
  /** Beginning and end of the audio that can be heard, in seconds of the call. */
  oldest = 0;
  newest = 0;
  /** "stopped", "playing", "waiting" (for more audio), "gone" (nothing is kept), "refused" or "failing". */
  state = "stopped";
  live = true;

  #address;
  #context = null;
  #turn = 0;
  #base = null;
  #next = null; // second to ask for; null: the newest
  #until = 0; // second up to which the audio is scheduled
  #sources = new Set();
  #slacks = [];

  /** Starts to play the call at `address`, from a second of it or live. Browsers allow sound only after a press. */
  play(address, second = null) {
    this.#address = address;
    this.#context ??= new AudioContext();
    this.#context.resume();
    this.#begin(second);
  }

  /** Goes to the newest. */
  toLive() {
    this.#begin(null);
  }

  /** Goes to a second of the call. */
  seek(second) {
    this.#begin(second);
  }

  stop() {
    this.#turn += 1;
    this.#silence();
    this.state = "stopped";
    this.#context?.suspend();
  }

  /** The second of the call that is heard now; null before the first. */
  get second() {
    if (this.#base === null) return null;
    const { currentTime, outputLatency } = this.#context;
    return Math.min(this.#until, Math.max(0, currentTime - (outputLatency || 0) - this.#base));
  }

  #begin(second) {
    this.#silence();
    this.#next = second;
    this.live = second === null;
    this.state = "waiting";
    this.#turn += 1;
    this.#run(this.#turn);
  }

  async #run(turn) {
    while (turn === this.#turn) {
      let waitMs = POLL_MS;
      try {
        const piece = await this.#fetch();
        if (turn !== this.#turn) return;
        if (piece) this.#schedule(piece);
        if (this.#ahead <= 0) this.state = "waiting";
        waitMs = Math.max(POLL_MS, (this.#ahead - AHEAD_SECONDS / 2) * 1000);
      } catch (fault) {
        if (turn !== this.#turn) return;
        this.state = fault.state ?? "failing";
        waitMs = RETRY_MS;
      }
      await new Promise((done) => setTimeout(done, waitMs));
    }
  }

  /** Seconds of audio that are scheduled and not yet heard. */
  get #ahead() {
    return this.#base === null ? 0 : this.#base + this.#until - this.#context.currentTime;
  }

  async #fetch() {
    const query = this.#next === null ? "" : `?from=${this.#next.toFixed(6)}&seconds=${AHEAD_SECONDS}`;
    const answer = await ask(this.#address + query);
    if (!answer.ok) throw { state: { 404: "gone", 401: "refused", 403: "refused" }[answer.status] };
    const told = (name) => Number(answer.headers.get(`Earshot-${name}`));
    [this.oldest, this.newest] = [told("Oldest"), told("Newest")];
    if (answer.status === 204) return null;
    return { from: told("From"), until: told("Until"), buffer: this.#decode(await answer.arrayBuffer()) };
  }

  /** A WAV of the server's own making (44 bytes of head, 16 bit, two channels) as an audio buffer. */
  #decode(wav) {
    const rate = new DataView(wav).getUint32(24, true);
    const samples = new Int16Array(wav, 44);
    const buffer = this.#context.createBuffer(2, Math.max(1, samples.length / 2), rate);
    for (const side of [0, 1]) {
      const channel = buffer.getChannelData(side);
      for (let n = 0; n < samples.length / 2; n += 1) channel[n] = samples[2 * n + side] / 32768;
    }
    return buffer;
  }

  #schedule({ from, until, buffer }) {
    const earliest = this.#context.currentTime + CUSHION_SECONDS;
    let start = this.#base === null ? -1 : this.#base + from;
    if (this.live && start - earliest > LEAP_SECONDS) this.#silence();
    if (this.#base === null || start < this.#context.currentTime) start = earliest;
    const speed = this.#speed(start - earliest);
    const source = new AudioBufferSourceNode(this.#context, { buffer, playbackRate: speed });
    source.connect(this.#context.destination);
    source.onended = () => this.#sources.delete(source);
    source.start(start);
    this.#sources.add(source);
    this.#base = start + (until - from) / speed - until;
    this.#until = until;
    this.#next = until;
    this.state = "playing";
  }

  /** Plays faster while some pieces in a row had more slack than needed. */
  #speed(spare) {
    this.#slacks = [...this.#slacks, spare].slice(-SLACKS);
    const wasted = this.#slacks.length === SLACKS && Math.min(...this.#slacks) > WASTE_SECONDS;
    return this.live && wasted ? HURRY : 1;
  }

  #silence() {
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
    this.#base = null;
    this.#slacks = [];
  }
}
