// In the opened call: its particulars, its summary and its talk figures, in folds.

import * as format from "../shared/wording/format.js";
import { legsTold, lineTold } from "../shared/wording/line.js";
import { headOf, pairOf, rowOf } from "../shared/rows.js";
import { summaryLines } from "./summary.js";
import { talkLines, talkTable } from "./talk.js";
import { _ } from "../shared/wording/language.js";

/** Metadata that most telephony sends. What else it names stays as it is. */
const METADATA = { agent: _("agent"), customer: _("customer"), caller: _("caller"), queue: _("queue") };

export class Particulars {
  #parts;
  #shown = "";

  /** @param parts the elements: about, summaryBox, summary, talkBox, talkTable, talk */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param row of the opened call  @param summary of an ended call; null while there is none */
  show(row, summary) {
    const { metadata, sentiment, started_at, ended_at, events } = row;
    const key = JSON.stringify([row.call_id, metadata, sentiment, ended_at, events, summary]);
    if (key === this.#shown) return;
    this.#shown = key;
    const { about, summaryBox, summary: figures, talkBox } = this.#parts;
    const moments = [[_("started"), format.moment(Date.parse(started_at))]];
    if (ended_at) moments.push([_("ended"), format.moment(Date.parse(ended_at))]);
    const mood = format.moodNumbers(sentiment);
    const known = [[_("call"), row.call_id], ...moments, [_("mood now"), mood], ...legsTold(row), ...lineTold(events), ...Object.entries(metadata).map(([name, value]) => [METADATA[name] ?? name, value])];
    pairs(about, known);
    summaryBox.hidden = !summary;
    pairs(figures, summary ? summaryLines(summary) : []);
    talkBox.hidden = !summary?.talk;
    if (summary?.talk) this.#talk(summary.talk);
  }

  #talk(talk) {
    const { head, rows } = talkTable(talk);
    this.#parts.talkTable.replaceChildren(headOf(head), ...rows.map((cells) => rowOf(cells, true)));
    pairs(this.#parts.talk, talkLines(talk));
  }
}

function pairs(list, entries) {
  list.replaceChildren(...entries.map(([name, value]) => pairOf(name, value)));
}
