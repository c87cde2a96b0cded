// The supervisor's view: filters and a column to sort by. The URL keeps it. Pure.

import { isHandled } from "../shared/wording/handling.js";
import { customerOf, isBehind, isLoud } from "../shared/live/store.js";
import { holds } from "../shared/wording/sought.js";
import { inWords } from "../shared/wording/told.js";

/** Columns that can be sorted by; `first`: the direction of the first click. */
export const COLUMNS = {
  attention: { value: (row) => row.attention, first: "descending" },
  agent: { value: (row) => (row.metadata.agent ?? "").toLowerCase(), first: "ascending" },
  customer: { value: (row) => customerOf(row).toLowerCase(), first: "ascending" },
  state: { value: (row) => row.state, first: "ascending" },
  duration: { value: age, first: "descending" },
  sentiment: { value: (row) => row.sentiment.score, first: "ascending" },
  trend: { value: (row) => row.sentiment.trend, first: "ascending" },
  alerts: { value: (row) => row.alerts.length, first: "descending" },
};

/** The filters, by their names in the URL, each with its test. */
const TESTS = {
  agent: (row, wanted) => row.metadata.agent === wanted,
  queue: (row, wanted) => row.metadata.queue === wanted,
  state: (row, wanted) => STATES[wanted]?.(row) ?? true,
  alert: (row, wanted) => row.alerts.some((alert) => plainKind(alert.kind) === plainKind(wanted)),
  q: (row, wanted) => holds(textOf(row), wanted),
};
const FILTERS = Object.keys(TESTS);

const STATES = {
  live: (row) => row.state !== "ended",
  ended: (row) => row.state === "ended",
  behind: isBehind,
  loud: isLoud,
  unhandled: (row) => row.state !== "ended" && !isHandled(row),
};

/** Reads a view from a URL's query. It ignores unknown parameters. */
export function parse(query) {
  const given = new URLSearchParams(query);
  const filters = {};
  for (const name of FILTERS) if (given.get(name)?.trim()) filters[name] = given.get(name).trim();
  const sort = given.get("sort") ?? "";
  const column = sort.replace(/^-/, "");
  return {
    filters,
    sort: Object.hasOwn(COLUMNS, column) ? { column, descending: sort.startsWith("-") } : null,
    wallboard: given.get("view") === "wallboard",
  };
}

/** The query of a view, "" for the plain one. `query`: the present one, whose other parameters stay. */
export function write({ filters, sort }, query = "") {
  const params = new URLSearchParams(query);
  for (const name of FILTERS) {
    if (filters[name]) params.set(name, filters[name]);
    else params.delete(name);
  }
  if (sort) params.set("sort", (sort.descending ? "-" : "") + sort.column);
  else params.delete("sort");
  return params.size ? `?${params}` : "";
}

/** Whether a row passes all filters. @param said whether the search found its words earlier in the call */
export function matches(row, filters, said = false) {
  return Object.entries(filters).every(([name, wanted]) => (name === "q" && said) || TESTS[name](row, wanted));
}

/** The next state of a column's heading: its first direction, the other one, none. */
export function nextSort(sort, column) {
  const descendingFirst = COLUMNS[column].first === "descending";
  if (sort?.column !== column) return { column, descending: descendingFirst };
  return sort.descending === descendingFirst ? { column, descending: !descendingFirst } : null;
}

/** An alert's kind without its source: a rule's "rule:legal-threat" means the same as "legal_threat". */
const plainKind = (kind) => kind.replace(/^rule:/, "").replaceAll("_", "-");

/** The choices of each filter. */
export function choices(rows) {
  const found = { agent: new Set(), queue: new Set(), alert: new Set() };
  for (const { metadata, alerts } of rows) {
    if (metadata.agent) found.agent.add(metadata.agent);
    if (metadata.queue) found.queue.add(metadata.queue);
    for (const { kind } of alerts) found.alert.add(plainKind(kind));
  }
  return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, [...values].sort()]));
}

/** Longest first when descending: live calls by their beginning, ended ones by their length. */
function age(row) {
  const began = Date.parse(row.started_at);
  return row.state === "ended" ? Date.parse(row.ended_at) - began : -began;
}

function textOf({ metadata, last, tracks, alerts, handling }) {
  const partials = Object.values(tracks).map((track) => track.partial);
  const reasons = alerts.map((alert) => inWords(alert.reason));
  const written = [handling.state === "open" ? "" : handling.by, ...handling.tags, ...handling.notes.map(({ text }) => text)];
  return [...Object.values(metadata), last?.text ?? "", ...partials, ...reasons, ...written].join("\n");
}
