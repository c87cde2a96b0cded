// The switch's events of a call: holds, mutes, transfers, joins and leaves. Pure.

import { duration, party as partyName, span } from "./format.js";
import { _ } from "./language.js";

/** The line now: who is on hold since which second, who is mute, and where the call went. */
function lineOf(events) {
  const line = { held: null, muted: new Set(), to: "" };
  for (const { kind, at, track, to } of events) {
    if (kind === "hold") line.held = { track, at };
    else if (kind === "resume") line.held = null;
    else if (kind === "mute") line.muted.add(track);
    else if (kind === "unmute") line.muted.delete(track);
    else if (kind === "transfer") line.to = to || _("another line");
    else if (kind === "join" && track !== "customer") line.to = ""; // the person it went to is there
  }
  return line;
}

/** The mark where voice gives no words, and its meaning. */
export const NO_WORDS = {
  short: _("heard, no words"),
  long: _("There is a voice, but no words come: the line may be bad, or the language another. Listen in to find out."),
};

/** A call's legs in order: who was on which track from which second to which; `to` is null while they are. */
export function legsOf({ tracks = {}, metadata = {}, events = [] }) {
  const legs = [];
  for (const track of new Set(["customer", "agent", ...Object.keys(tracks)])) {
    if (metadata[track]) legs.push({ track, who: metadata[track], from: 0, to: null });
  }
  for (const { kind, at, track, who } of events) {
    if (kind !== "join" && kind !== "leave") continue;
    const last = legs.findLast((leg) => leg.track === track && leg.to === null);
    if (last) last.to = at;
    if (kind === "join") legs.push({ track, who, from: at, to: null });
  }
  return legs;
}

/** Who spoke on a track in a second of the call, where others were on it too or its name says too little; else "". */
export function speakerOf(row, track, second) {
  const legs = legsOf(row).filter((leg) => leg.track === track);
  if (legs.length < 2 && ["agent", "customer"].includes(track)) return "";
  return legs.findLast((leg) => leg.from <= second)?.who ?? "";
}

/** Who else is with the customer: "with Ben", "now Ben" once the first agent has left, or "". */
function others(row) {
  const legs = legsOf(row).filter(({ track }) => track !== "customer");
  const there = legs.filter((leg) => leg.to === null && !(leg.track === "agent" && leg.from === 0));
  const names = there.map(({ who }) => who).join(_(" and "));
  if (!names) return "";
  const joined = legs.some((leg) => leg.track === "agent" && leg.from === 0 && leg.to === null);
  return joined ? _("with {names}", { names }) : _("now {names}", { names });
}

/** A party's line in words: "on hold 0:45", _("mute"), "transferred to billing", "with Ben", or "". @param second of the call, now */
export function lineOfParty(row, party, second) {
  if (!row.events?.length) return "";
  const { held, muted, to } = lineOf(row.events);
  if (held?.track === party) return _("on hold {time}", { time: span(Math.max(0, second - held.at)) });
  if (muted.has(party)) return _("mute");
  if (party !== "agent") return "";
  return to ? _("transferred to {to}", { to }) : others(row);
}

/** Whether this party's silence means nothing, because they are on hold or mute. */
export function isAside({ events }, party) {
  if (!events?.length) return false;
  const { held, muted } = lineOf(events);
  return held !== null || muted.has(party);
}

/** A call's legs in words, [track, who and when] each, where anybody joined or left. */
export function legsTold(row) {
  if (!row.events?.some(({ kind }) => kind === "join" || kind === "leave")) return [];
  return legsOf(row).map(({ track, who, from, to }) => [partyName(track), _("{who}, {from} to {to}", { who, from: duration(from), to: to === null ? _("the end") : duration(to) })]);
}

/** The switch's events, as the catalogue has them. */
export const KINDS = [_("hold"), _("resume"), _("mute"), _("unmute"), _("transfer")];

/** All else, [when, what] each; presses of keys as their number. */
export function lineTold(events) {
  const presses = events.filter(({ kind }) => kind === "dtmf").length;
  const told = events
    .filter(({ kind }) => !["dtmf", "join", "leave"].includes(kind))
    .map(({ kind, at, track, to }) => {
      const words = [_(kind.replace("-", " ")), track && partyName(track), to && _("to {to}", { to })];
      return [duration(at), words.filter(Boolean).join(" ")];
    });
  return presses ? [...told, [_("keys pressed"), String(presses)]] : told;
}
