// What the API's figures look like in tables. Pure.

import { duration, MISSING, moodWord } from "./format.js";

const known = (value, show) => (typeof value === "number" ? show(value) : MISSING);
const rounded = (value) => String(Math.round(value * 10) / 10);

/** One agent of GET /v1/agents as the texts of a row. */
export function agentCells(agent) {
  return [
    agent.agent || "unknown",
    String(agent.calls),
    String(agent.raised_calls),
    known(agent.sentiment_score, moodWord),
    known(agent.talk_ratio, (share) => `${Math.round(share * 100)} %`),
    known(agent.words_per_minute, (words) => String(Math.round(words))),
    known(agent.longest_monologue_seconds, duration),
    known(agent.silence_seconds, duration),
    known(agent.hold_seconds, duration),
    known(agent.overlaps, rounded),
    known(agent.interruptions, rounded),
  ];
}

/** One hit of a dry run as the texts of a row. */
export function hitCells({ call_id, at, severity, title, quote }) {
  return [call_id, duration(at), severity, title, quote];
}

/** How much a dry run looked at, in words. */
export function looked({ calls, more, hits, by_rule }) {
  const all = Object.values(by_rule).reduce((sum, count) => sum + count, 0);
  const shown = all > hits.length ? `, the first ${hits.length} below` : "";
  return `${all} hits in ${calls} calls${shown}${more ? "; there are more calls" : ""}.`;
}

/** What is wrong with the rules, from a problem of the API: {line, message}. line: from 1, or null. */
export function faultOf(problem) {
  const line = /^line (\d+)/.exec(problem.errors?.[0]?.detail ?? "")?.[1];
  return { line: line ? Number(line) : null, message: problem.detail || problem.title || "The server refused." };
}

/** Where a line begins and ends in a text. */
export function lineSpan(text, line) {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return [start, start + (lines[line - 1]?.length ?? 0)];
}
