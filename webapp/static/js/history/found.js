// The history's request to the API, and a call in its list. Pure.

import * as format from "../shared/wording/format.js";
import { customerOf } from "../shared/live/store.js";
import { knownKind } from "../shared/wording/kinds.js";

const FIELDS = ["text", "agent", "customer", "queue", "alert", "tag", "from", "to", "attention", "handled", "state", "sort"];
const PAGE = "50";

/** The query of GET /v1/calls for the page's address. By default: calls of any state, the newest first. */
export function asked(given) {
  const query = new URLSearchParams({ state: "any", sort: "time", limit: PAGE });
  for (const name of FIELDS) if (given.get(name)) query.set(name, given.get(name));
  if (query.get("sort") === "relevance" && !query.get("text")) query.set("sort", "time");
  return query;
}

/** The texts of a line: a row of GET /v1/calls, and the words found. */
export function cells(row, hit) {
  const until = row.ended_at ? Date.parse(row.ended_at) : null;
  const began = Date.parse(row.started_at);
  const marks = [...new Set(row.alerts.map(({ kind }) => knownKind(kind) ?? kind)), ...row.handling.tags];
  const words = hit ? `${format.duration(hit.start)} ${format.party(hit.track)}: ${hit.text}` : row.about || (row.last?.text ?? "");
  return [
    customerOf(row) || row.call_id,
    format.moment(began),
    until === null ? format.stateWord(row.state) : format.duration((until - began) / 1000),
    row.metadata.agent ?? "",
    row.metadata.queue ?? "",
    format.attention(row.attention),
    format.moodWord(row.sentiment.score),
    marks.join(", "),
    words,
  ];
}
