// This customer's earlier calls: when, in what mood, whether they needed attention, and who dealt with them.

import * as format from "../shared/wording/format.js";
import { customerOf } from "../shared/live/store.js";
import { earlierCalls } from "../shared/live/story.js";
import { _ } from "../shared/wording/language.js";

const MOST = 3;

export class Earlier {
  #box;
  #of = "";

  /** Called with how many there are. */
  onTold = (_count) => {};

  /** @param box the element to fill; hidden while it is empty */
  constructor(box) {
    this.#box = box;
  }

  /** Another call was opened, or none. */
  follow() {
    this.#of = "";
    this.#box.hidden = true;
  }

  /** @param row of the opened call, which the list leaves out */
  async show(row) {
    const key = `${row.call_id} ${customerOf(row)}`;
    if (key === this.#of) return;
    this.#of = key;
    this.#box.hidden = true;
    const calls = await earlierCalls(row);
    if (key !== this.#of) return;
    this.#box.hidden = !calls.length;
    this.#box.replaceChildren(_("Earlier calls: "), ...calls.slice(0, MOST).flatMap((call, n) => [n ? "; " : "", earlierLink(call)]));
    this.onTold(calls.length);
  }
}

/** A link that opens an earlier call and says how it went. */
export function earlierLink(call) {
  const made = document.createElement("a");
  made.href = `#/calls/${encodeURIComponent(call.call_id)}`;
  made.textContent = outcome(call);
  return made;
}

/** How a call went, in a few words. */
export function outcome({ started_at, sentiment, alerts, handling }) {
  const raised = alerts.some(({ kind }) => kind === "needs_attention");
  const by = handling?.by ? _("seen to by {by}", { by: handling.by }) : raised ? _("nobody saw to it") : "";
  return [
    format.day(Date.parse(started_at)),
    sentiment.score === null ? "" : format.moodWord(sentiment.score),
    raised ? _("needed attention") : "",
    by,
  ].filter(Boolean).join(", ");
}
