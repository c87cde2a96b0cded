// The calls by the server's last words: a snapshot, and every event since. Pure: no page, no clock of its own.
//
// A row has the form of GET /v1/calls. Applying an event twice, or one that the snapshot already holds, leaves
// the same rows.

import { UNTOUCHED, woken } from "../wording/handling.js";
import { _ } from "../wording/language.js";

/** Undecoded audio of a track from which its call counts as behind. Less is usual for decoders. */
export const BEHIND_SECONDS = 3;

/** Time that an ended call stays in the table. */
export const ENDED_SHOWN_MS = 10 * 60_000;

export class Calls {
  /** call_id -> row */
  rows = new Map();
  #changed = new Set();
  #spoke = new Map(); // call_id -> {track: ms of the last sign of speech}

  /**
   * Replaces all rows by a snapshot. `nowMs`: the server's clock. `lacks`: whether the server could not reach the part
   * that keeps this call. Its row then stays.
   */
  replace(rows, nowMs, lacks = (_id) => false) {
    const kept = [...this.rows].filter(([id]) => lacks(id));
    for (const id of this.rows.keys()) this.#changed.add(id);
    const told = rows.map((row) => [row.call_id, { ...row, handling: row.handling ?? UNTOUCHED }]);
    this.rows = new Map([...kept, ...told]);
    for (const row of rows) {
      this.#changed.add(row.call_id);
      this.#hearSnapshot(row, nowMs);
    }
    for (const id of this.#spoke.keys()) if (!this.rows.has(id)) this.#spoke.delete(id);
  }

  /** Applies one feed event. Events of calls that are not in the table (long ended) change nothing. */
  apply(event, nowMs) {
    const id = event.call_id;
    const row = this.rows.get(id);
    if (event.kind === "call") {
      this.rows.set(id, { ...(row ?? emptyRow(id)), ...callFields(event) });
    } else if (!row) {
      return;
    } else if (event.kind === "partial") {
      const track = row.tracks[event.track] ?? { next_seq: event.decoded_seq + 1, gaps: [] };
      if (event.partial && event.partial !== track.partial) this.#hear(id, event.track, nowMs);
      const { partial, lag_seconds, decoded_seq, wordless = false } = event; // an older server says nothing of it
      row.tracks = { ...row.tracks, [event.track]: { ...track, partial, lag_seconds, decoded_seq, wordless } };
    } else if (event.kind === "final") {
      const { id: said, track, text, start, end, sentiment } = event.utterance;
      const { last } = row;
      const same = last?.id === said;
      // As on the server, the last utterance is the one with words that ended last on any track.
      if (!text || (last && !same && (last.end - end || (last.track > track ? 1 : -1)) > 0)) return;
      if (!same) this.#hear(id, track, nowMs);
      row.last = { id: said, track, text, start, end, sentiment: sentiment ?? (same ? last.sentiment : null) };
    } else if (event.kind === "line") {
      row.events = event.events;
    } else if (event.kind === "score") {
      Object.assign(row, event.standing);
      if (row.last?.id === event.utterance_id) row.last = { ...row.last, sentiment: event.sentiment };
    }
    if (event.kind === "handling") {
      // The answer to a click and the feed may come in either order. The later change has the higher number.
      if (event.handling.revision < row.handling.revision) return;
      row.handling = event.handling;
    }
    this.#changed.add(id);
  }

  /** Ends the snoozes that are over. */
  wake(nowMs) {
    for (const [id, row] of this.rows) {
      const handling = woken(row.handling, nowMs);
      if (handling === row.handling) continue;
      row.handling = handling;
      this.#changed.add(id);
    }
  }

  /** Drops the calls that ended too long ago to be shown. */
  dropEnded(nowMs) {
    for (const [id, row] of this.rows) {
      if (row.state !== "ended" || nowMs - Date.parse(row.ended_at) < ENDED_SHOWN_MS) continue;
      this.rows.delete(id);
      this.#spoke.delete(id);
      this.#changed.add(id);
    }
  }

  /** The ids of calls that came, changed or went since the last call of this. */
  takeChanged() {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** Milliseconds (server's clock) of a track's last sign of speech; undefined if none is known. */
  spokeAt(id, track) {
    return this.#spoke.get(id)?.[track];
  }

  #hear(id, track, nowMs) {
    this.#spoke.set(id, { ...this.#spoke.get(id), [track]: nowMs });
  }

  #hearSnapshot(row, nowMs) {
    for (const [name, track] of Object.entries(row.tracks)) {
      if (track.partial) this.#hear(row.call_id, name, nowMs);
    }
    const { last } = row;
    if (last && !row.tracks[last.track]?.partial) {
      this.#hear(row.call_id, last.track, Math.min(nowMs, Date.parse(row.started_at) + last.end * 1000));
    }
  }
}

/** Seconds by which the slowest track's transcript trails its audio. */
export function lagSeconds(row) {
  if (row.state === "ended") return 0;
  return Math.max(0, ...Object.values(row.tracks).map((track) => track.lag_seconds));
}

export const isBehind = (row) => lagSeconds(row) >= BEHIND_SECONDS;

/** The tracks on which voice is heard and gives no words. */
export const wordless = (row) =>
  row.state === "ended" ? [] : Object.keys(row.tracks).filter((name) => row.tracks[name].wordless);

/** Whether the customer's voice is raised now. */
export const isLoud = (row) => row.state !== "ended" && row.loud_since !== null;

/** A call's name for people: who talks with whom. */
export const titleOf = (row) => {
  const [agent, customer] = [row.metadata.agent, customerOf(row)];
  return agent && customer ? _("{agent} with {customer}", { agent, customer }) : agent || customer || row.call_id;
};

export const customerOf = (row) => row.metadata.customer || row.metadata.caller || "";

function emptyRow(call_id) {
  const sentiment = { score: null, trend: null };
  const told = { reasons: [], alerts: [], findings: [], curve: [], loud: [], loud_since: null, about: "" };
  const standing = { sentiment, attention: 0, raised: false, raised_at: null, ...told };
  return { call_id, ...standing, tracks: {}, events: [], last: null, handling: UNTOUCHED };
}

function callFields({ state, started_at, ended_at, metadata }) {
  return { state, started_at, ended_at, metadata };
}
