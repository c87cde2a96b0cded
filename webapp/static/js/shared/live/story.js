// The story behind an alert: the call so far in one line, and this customer's earlier calls.

import { ask } from "./session.js";
import { customerOf } from "./store.js";
import { _, pgettext } from "../wording/language.js";
import { inWords } from "../wording/told.js";

/** At most so many earlier calls are counted; beyond that the page says "many". */
const COUNTED = 10;
const HAPPENED = 3;
/** Time after which the page asks again about a call. */
const KEPT_MS = 30_000;
const NTH = [
  "", _("second call"), _("third call"), _("fourth call"), _("fifth call"), _("sixth call"), _("seventh call"), _("eighth call"),
  _("ninth call"), _("tenth call"),
];

/**
 * The call so far in one line; "" if there is nothing yet.
 * @param points of GET /v1/calls/{id}/summary  @param earlier how many calls this customer made before
 */
export function story(points, earlier) {
  const nth = !earlier ? "" : NTH[earlier] ?? _("one of many calls");
  const happened = points.filter(({ part, text }) => part === "happened" && text).sort((a, b) => a.at - b.at);
  const promise = points.find(({ part }) => part === "promise");
  const outcome = points.find(({ part }) => part === "outcome")?.text ?? "";
  const steps = new Set(happened.map(({ text }) => text).filter((text) => !outcome.endsWith(`: ${text}`)));
  const told = [
    nth,
    ...oneCustomer([...steps].slice(-HAPPENED).map(inWords)),
    promise ? _("promised “{quote}”", { quote: promise.quote }) : "",
    inWords(outcome),
  ];
  const line = told.filter(Boolean).join(", ");
  return line.charAt(0).toUpperCase() + line.slice(1);
}

/** What the customer does one after the other, with "the customer" said once. */
function oneCustomer(steps) {
  const who = `${pgettext("subject", "the customer")} `;
  return steps.map((step, index) => (step.startsWith(who) && steps[index - 1]?.startsWith(who) ? step.slice(who.length) : step));
}

/** This customer's other ended calls, the newest first, at most COUNTED. */
export async function earlierCalls(row) {
  const customer = customerOf(row);
  if (!customer) return [];
  const query = new URLSearchParams({ state: "ended", sort: "time", limit: String(COUNTED + 1), customer });
  const answer = await ask(`/v1/calls?${query}`).catch(() => null);
  if (!answer?.ok) return [];
  return (await answer.json()).calls.filter((call) => call.call_id !== row.call_id).slice(0, COUNTED);
}

/** The stories behind alerts. It keeps each call's for a while. */
export class Backgrounds {
  #kept = new Map(); // call_id -> {key, at, told}

  /** Resolves to {story, earlier}: the call so far in one line, and the earlier calls. @param row of the table */
  of(row) {
    const key = `${row.alerts.length} ${customerOf(row)}`;
    const known = this.#kept.get(row.call_id);
    if (known?.key === key && Date.now() - known.at < KEPT_MS) return known.told;
    for (const [id, { at }] of this.#kept) if (Date.now() - at >= KEPT_MS) this.#kept.delete(id);
    const told = this.#ask(row);
    this.#kept.set(row.call_id, { key, at: Date.now(), told });
    return told;
  }

  async #ask(row) {
    const about = ask(`/v1/calls/${encodeURIComponent(row.call_id)}/summary`).catch(() => null);
    const [answer, earlier] = await Promise.all([about, earlierCalls(row)]);
    const points = answer?.ok ? (await answer.json()).points : [];
    return { story: story(points, earlier.length), earlier };
  }
}
