// The API's figures in tables. Pure.

import { duration, MISSING, moodWord } from "./format.js";
import { _, locale, ngettext } from "./language.js";
import { inWords } from "./told.js";

const known = (value, show) => (typeof value === "number" ? show(value) : MISSING);
const percent = (share) => known(share, (part) => `${Math.round(part * 100)} %`);
const time = (seconds) => known(seconds, duration);
const ROUNDED = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const rounded = (value) => ROUNDED.format(value);

/** The columns of the agents' table: what each figure is, and how it looks. Means are over an agent's calls. */
export const AGENT_COLUMNS = [
  { key: "agent", name: _("Agent"), about: _("as the calls name them"), show: (name) => name || _("unknown") },
  { key: "calls", name: _("Calls"), about: _("ended calls that have a summary"), show: String },
  { key: "raised_calls", name: _("Raised"), about: _("calls of these that needed attention at some time"), show: String },
  { key: "sentiment_score", name: _("Mood"), about: _("of the whole call, mean"), show: (score) => known(score, moodWord) },
  { key: "talk_ratio", name: _("Share of talk"), about: _("the agent's part of the time in which somebody talks, mean"), show: percent },
  { key: "words_per_minute", name: _("Words a minute"), about: _("while the agent talks"), show: (n) => known(n, (words) => String(Math.round(words))) },
  { key: "longest_monologue_seconds", name: _("Longest monologue"), about: _("longest time without a word of the customer, in any call"), show: time },
  { key: "silence_seconds", name: _("Silence"), about: _("time in which nobody talks, mean"), show: time },
  { key: "hold_seconds", name: _("Hold"), about: _("silence of ten seconds or more, or of five that was announced; mean"), show: time },
  { key: "overlaps", name: _("Overlaps"), about: _("times that both talk at once, mean"), show: (n) => known(n, rounded) },
  { key: "interruptions", name: _("Broke in"), about: _("times that the agent begins while the customer talks, mean"), show: (n) => known(n, rounded) },
];

/** One agent of GET /v1/agents as the texts of a row. */
export const agentCells = (agent) => AGENT_COLUMNS.map(({ key, show }) => show(agent[key]));

/** Agents in the order of a column; those without the figure last. */
export function sortAgents(agents, key, descending) {
  const value = (agent) => (key === "agent" ? agent.agent.toLowerCase() : agent[key] ?? null);
  return agents.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    const order = left < right ? -1 : left > right ? 1 : 0;
    return Number(left === null) - Number(right === null) || (descending ? -order : order);
  });
}

const SEVERITIES = { info: _("info"), low: _("low"), medium: _("medium"), high: _("high"), critical: _("critical") };
/** How severe a rule's hit is, in a word. */
export const severityWord = (severity) => SEVERITIES[severity] ?? severity;

/** One hit of a dry run as the texts of a row. */
export function hitCells({ call_id, at, severity, title, quote }) {
  return [call_id, duration(at), severityWord(severity), inWords(title), quote];
}

/** How much a dry run looked at, in words. */
export function looked({ calls, more, hits, by_rule }) {
  const all = Object.values(by_rule).reduce((sum, count) => sum + count, 0);
  const told = [
    ngettext("{n} hit", "{n} hits", all),
    _("calls looked at: {calls}", { calls }),
    all > hits.length && _("the first {n} below", { n: hits.length }),
  ];
  return `${told.filter(Boolean).join(", ")}${more ? _("; there are more calls") : ""}.`;
}

/** What is wrong with the rules, from a problem of the API: {line, message}. line: from 1, or null. */
export function faultOf(problem) {
  const line = /^line (\d+)/.exec(problem.errors?.[0]?.detail ?? "")?.[1];
  return { line: line ? Number(line) : null, message: problem.detail || problem.title || _("The server refused.") };
}

/** Where a line begins and ends in a text. */
export function lineSpan(text, line) {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return [start, start + (lines[line - 1]?.length ?? 0)];
}
