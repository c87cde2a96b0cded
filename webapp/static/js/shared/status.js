// The parts above and below the table: counts, the fleet's health, and a banner when the page may be wrong.

import { mark } from "./dom.js";
import * as format from "./wording/format.js";
import { shardOf } from "./live/shards.js";
import { BEHIND_SECONDS } from "./live/store.js";
import { _, ngettext } from "./wording/language.js";

/** Longest silence of the server before the page may be out of date. The server sends `fleet` every 2 s. */
const STALE_MS = 6_000;
export class Status {
  #root;
  #connected = false;
  #heardMs = 0; // viewer's clock: the last sign of life
  #openedMs = Date.now();
  #fleet = null;
  #counts = { live: 0, needs: 0, behind: 0 };
  #tracks = 0;
  #failure = "";
  #awaySinceMs = 0; // viewer's clock: since when a part of the store does not answer

  /** Add this to the viewer's clock to get the server's. */
  offsetMs = 0;

  constructor(root) {
    this.#root = root;
    setInterval(() => this.#show(), 1_000);
  }

  link(connected) {
    this.#connected = connected;
    this.#show();
  }

  /** The server said something. */
  heard() {
    this.#heardMs = Date.now();
  }

  fleet(view) {
    this.#fleet = view;
    this.#awaySinceMs = view.away?.length ? this.#awaySinceMs || Date.now() : 0;
    this.heard();
    if (view.server_time_ms) this.offsetMs = view.server_time_ms - this.#heardMs;
    this.#show();
  }

  /** Whether the server cannot reach the part that keeps the call. Its row then stays as it was. */
  isAway(callId) {
    return Boolean(this.#awaySinceMs) && this.#fleet.away.includes(this.shardOf(callId));
  }

  /** The part of the store that keeps the call. */
  shardOf(callId) {
    return shardOf(callId, this.#fleet?.shards ?? 1);
  }

  /** @param counts the numbers in the bar  @param tracks how many tracks the live calls have */
  counts(counts, tracks) {
    this.#counts = counts;
    this.#tracks = tracks;
    this.#show();
  }

  /** Something is wrong, and waiting does not help. */
  fail(message) {
    this.#failure = message;
    this.#show();
  }

  #show() {
    for (const [name, count] of Object.entries(this.#counts)) this.#text(`count-${name}`, String(count));
    mark(this.#part("counts"), "needs", this.#counts.needs ? "some" : "none");
    mark(this.#part("counts"), "behind", this.#counts.behind ? "some" : "none");
    document.title = this.#counts.needs ? `(${this.#counts.needs}) Earshot` : "Earshot";
    this.#showFleet();
    const warning = this.#failure || this.#warning();
    this.#text("banner", warning);
    this.#part("banner").hidden = !warning;
    mark(this.#root, "warned", warning ? "yes" : "no");
    mark(this.#root, "stale", this.stale ? "yes" : "no");
  }

  #showFleet() {
    const fleet = this.#fleet;
    if (!fleet) return;
    // The backlog is a sum over all tracks. A supervisor notices how far behind one line is.
    const behind = fleet.backlog_seconds / Math.max(1, this.#tracks);
    const late = behind >= BEHIND_SECONDS;
    this.#text("decoders", fleet.decoders ? _("Words") : _("No words come"));
    this.#text("backlog", fleet.decoders ? _("{time} behind", { time: behind < 9.95 ? _("{n} s", { n: format.tenths(behind) }) : format.span(behind) }) : "");
    this.#part("decoders").title = ngettext("{n} decoder at work", "{n} decoders at work", fleet.decoders);
    this.#part("backlog").title = _("{time} of audio waiting on all lines together", { time: format.span(fleet.backlog_seconds) });
    mark(this.#part("fleet"), "health", !fleet.decoders ? "down" : late ? "late" : "good");
    this.#text("model", fleet.model || format.MISSING);
  }

  /** Whether the page may be out of date. */
  get stale() {
    return !this.#connected || Date.now() - this.#heardMs > STALE_MS;
  }

  #warning() {
    const now = Date.now();
    if (!this.#heardMs) {
      return now - this.#openedMs > 3_000 ? _("No connection to the server yet. Trying to connect…") : "";
    }
    if (this.stale) {
      const age = _("This was the state {time} ago, at {clock}.", { time: format.span((now - this.#heardMs) / 1000), clock: format.clock(this.#heardMs) });
      return this.#connected
        ? _("The server has stopped reporting. {age}", { age })
        : _("Connection lost. {age} Trying to reconnect…", { age });
    }
    if (this.#awaySinceMs) {
      const { away, shards } = this.#fleet;
      const since = format.clock(this.#awaySinceMs);
      return ngettext(
        "{n} of the store's {shards} parts does not answer: the grey calls are as of {since}.",
        "{n} of the store's {shards} parts do not answer: the grey calls are as of {since}.",
        away.length,
        { shards, since },
      );
    }
    if (this.#fleet.decoders === 0 && this.#counts.live) {
      return _("Nothing is being written down: no decoder is running. Earshot keeps the audio and catches up when one starts.");
    }
    return "";
  }

  #part(name) {
    return this.#root.querySelector(`[data-status=${name}]`);
  }

  #text(name, value) {
    const part = this.#part(name);
    if (part.textContent !== value) part.textContent = value;
  }
}
