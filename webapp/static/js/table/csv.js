// The table as a file for a spreadsheet. Pure but for `save`.

import { customerOf } from "../shared/live/store.js";

const COLUMNS = {
  call_id: (row) => row.call_id,
  agent: (row) => row.metadata.agent ?? "",
  customer: customerOf,
  queue: (row) => row.metadata.queue ?? "",
  state: (row) => row.state,
  started_at: (row) => row.started_at,
  ended_at: (row) => row.ended_at ?? "",
  sentiment: (row) => row.sentiment.score ?? "",
  trend: (row) => row.sentiment.trend ?? "",
  attention: (row) => row.attention,
  raised: (row) => (row.raised ? "yes" : "no"),
  reasons: (row) => row.reasons.map((reason) => reason.text).join("; "),
  alerts: (row) => row.alerts.map((alert) => alert.reason).join("; "),
  handling: (row) => row.handling.state,
  handled_by: (row) => row.handling.by,
  tags: (row) => row.handling.tags.join("; "),
  notes: (row) => row.handling.notes.map(({ by, text }) => `${by}: ${text}`).join("; "),
  last_words: (row) => row.last?.text ?? "",
};

/** Rows as CSV (RFC 4180). A byte order mark comes first, or Excel would misread UTF-8. */
export function toCsv(rows) {
  const lines = rows.map((row) => Object.values(COLUMNS).map((value) => field(value(row))));
  return `\ufeff${[Object.keys(COLUMNS), ...lines].map((line) => `${line.join(",")}\r\n`).join("")}`;
}

/** Puts an apostrophe before a text that a spreadsheet would take for a formula. */
function field(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Offers a text to the viewer as a file. */
export function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
