// Who is on which call, and which calls still wait for somebody. Pure.

import { span } from "./format.js";
import { _ } from "./language.js";
import { inWords } from "./told.js";

/** A row before anybody did anything. */
export const UNTOUCHED = {
  state: "open", by: "", at: null, until: null, seen: null, revision: 0, notes: [], tags: [], judged: [],
  help: null, messages: [],
};

/** Second of the newest alert; 0 while there is none. */
export const newestAlert = (row) => Math.max(0, ...row.alerts.map(({ at }) => at));

/** Whether an alert is newer than those that a supervisor has dealt with. */
const hasNews = (row) => row.alerts.some(({ at }) => row.handling.seen === null || at > row.handling.seen);

/** Whether somebody deals with the call: it is taken or snoozed, or nothing new came since it was acknowledged. */
export function isHandled(row) {
  const { state } = row.handling;
  return state === "taken" || state === "snoozed" || (state === "acknowledged" && !hasNews(row));
}

/** Whether the call's agent asked for help, and no supervisor has answered. */
export const wantsHelp = (row) => row.state !== "ended" && Boolean(row.handling.help) && !row.handling.help.answered_at;

/** Whether a call waits for a supervisor: the agent asks for help or the call is raised, and nobody deals with it. */
export const isWaiting = (row) =>
  row.state !== "ended" && (wantsHelp(row) ? row.handling.state !== "snoozed" : row.raised && !isHandled(row));

/** A request for help in words. @param nowMs the server's clock; without it the words have no time */
export function helpInWords({ help }, nowMs = null) {
  const since = nowMs === null ? "" : span((nowMs - Date.parse(help.at)) / 1000);
  const asks = since ? _("Asks for help, {since}", { since }) : _("Asks for help");
  return help.reason ? `${asks}: ${inWords(help.reason)}` : asks;
}

/** A call's handling once its snooze is over. */
export function woken(handling, nowMs) {
  if (handling.state !== "snoozed" || Date.parse(handling.until) > nowMs) return handling;
  return { ...handling, state: "open", until: null };
}

/** Who is on a call in a few words; "" for nobody. @param me the viewer's name */
export function handlingInWords(row, me) {
  const { state, by } = row.handling;
  const you = me && by === me;
  if (state === "taken" && row.state === "ended") return you ? _("You were on it") : _("{by} was on it", { by });
  if (state === "taken") return you ? _("You are on it") : _("{by} is on it", { by });
  if (state === "acknowledged") return hasNews(row) ? "" : you ? _("Seen by you") : _("Seen by {by}", { by });
  if (state === "snoozed") return you ? _("Snoozed by you") : _("Snoozed by {by}", { by });
  return "";
}

/** How long a snooze goes on. */
export const snoozeLeft = ({ until }, nowMs) => _("{time} left", { time: span((Date.parse(until) - nowMs) / 1000) });
