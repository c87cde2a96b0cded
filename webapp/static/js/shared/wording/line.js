// What the switch told of a call: holds, mutes, transfers. Pure.

import { duration, span } from "./format.js";

/** How the line is now: who is on hold since which second, who is mute, to whom the call went. */
function lineOf(events) {
  const line = { held: null, muted: new Set(), to: "" };
  for (const { kind, at, track, to } of events) {
    if (kind === "hold") line.held = { track, at };
    else if (kind === "resume") line.held = null;
    else if (kind === "mute") line.muted.add(track);
    else if (kind === "unmute") line.muted.delete(track);
    else if (kind === "transfer") line.to = to || "another line";
  }
  return line;
}

/** A party's line in words: "on hold 0:45", "mute", "transferred to billing", or "". @param second of the call, now */
export function lineOfParty({ events }, party, second) {
  if (!events?.length) return "";
  const { held, muted, to } = lineOf(events);
  if (held?.track === party) return `on hold ${span(Math.max(0, second - held.at))}`;
  return muted.has(party) ? "mute" : party === "agent" && to ? `transferred to ${to}` : "";
}

/** Whether this party's silence means nothing: they wait, or nobody hears them. */
export function isAside({ events }, party) {
  if (!events?.length) return false;
  const { held, muted } = lineOf(events);
  return held !== null || muted.has(party);
}

/** All of it, [when, what] each; presses of keys as their number. */
export function lineTold(events) {
  const presses = events.filter(({ kind }) => kind === "dtmf").length;
  const told = events
    .filter(({ kind }) => kind !== "dtmf")
    .map(({ kind, at, track, to }) => {
      const words = [kind.replace("-", " "), track, to && `to ${to}`];
      return [duration(at), words.filter(Boolean).join(" ")];
    });
  return presses ? [...told, ["keys pressed", String(presses)]] : told;
}
