// This customer's earlier calls: when, in what mood, whether they needed attention, and who saw to them.

import * as format from "../shared/wording/format.js";
import { ask } from "../shared/live/session.js";
import { customerOf } from "../shared/live/store.js";

const MOST = 3;

export class Earlier {
  #box;
  #of = "";

  /** @param box the element to fill, hidden while there is nothing to tell */
  constructor(box) {
    this.#box = box;
  }

  /** @param row of the opened call, which is not told */
  async show(row) {
    const customer = customerOf(row);
    const key = `${row.call_id} ${customer}`;
    if (key === this.#of) return;
    this.#of = key;
    this.#box.hidden = true;
    if (!customer) return;
    const query = new URLSearchParams({ state: "ended", sort: "time", limit: String(MOST + 1), customer });
    const answer = await ask(`/v1/calls?${query}`).catch(() => null);
    if (!answer?.ok || key !== this.#of) return;
    const told = await answer.json();
    if (key !== this.#of) return;
    const calls = told.calls.filter((call) => call.call_id !== row.call_id).slice(0, MOST);
    this.#box.hidden = !calls.length;
    this.#box.replaceChildren("Earlier calls: ", ...calls.flatMap((call, n) => [n ? "; " : "", link(call)]));
  }
}

function link(call) {
  const made = document.createElement("a");
  made.href = `#/calls/${encodeURIComponent(call.call_id)}`;
  made.textContent = outcome(call);
  return made;
}

/** How a call went, in a few words. */
export function outcome({ started_at, sentiment, alerts, handling }) {
  const raised = alerts.some(({ kind }) => kind === "needs_attention");
  const by = handling?.by ? `seen to by ${handling.by}` : raised ? "nobody saw to it" : "";
  return [
    format.day(Date.parse(started_at)),
    sentiment.score === null ? "" : format.moodWord(sentiment.score),
    raised ? "needed attention" : "",
    by,
  ].filter(Boolean).join(", ");
}
