// Sentences of the server in the page's language: why a call is raised, how it stands. The API says them in English, for
// programs. A supervisor's words, and sentences that this page does not know, stay as they are. Pure.

import { _, ngettext } from "./language.js";

/** Sentences in the code of workers/insight, what agents ask for, and the scorecard's first questions. The files of
  workers/insight are in the catalogue by themselves. */
export const SAID = [
  _("the agent could not help"),
  _("the customer says it again"),
  _("the agent sounds dismissive"),
  _("they talk over each other"),
  _("speaks faster than callers of this queue do"),
  _("longer than calls of this queue usually are"),
  _("sounds let down"),
  _("sounds content"),
  _("a friendly word"),
  _("an unhappy word"),
  _("open"),
  _("settled"),
  _("done"),
  _("promised"),
  _("unclear"),
  _("the customer is unhappy"),
  _("the customer is relieved"),
  _("the customer is content"),
  _("the agent could not do it"),
  _("the agent did it"),
  _("Customer is angry"),
  _("Needs an approval"),
  _("I do not know the answer"),
  _("Wants a supervisor"),
  _("Did the agent greet the customer?"),
  _("Did the agent say that the call is recorded?"),
  _("Did the agent understand what the customer wanted?"),
  _("Was what the agent said correct?"),
  _("Was the agent polite and patient?"),
  _("Was it solved, or does the customer know what comes next?"),
];

/** Sentences with values, and how they are said. @type {[RegExp, (...values: string[]) => string][]} */
const COMPOSED = [
  [/^(\d+) unhappy turns in a row$/, (n) => ngettext("{n} unhappy turn in a row", "{n} unhappy turns in a row", Number(n))],
  [/^raised voice since ([\d:]+)$/, (time) => _("raised voice since {time}", { time })],
  [/^(\d+) s of silence or hold$/, (seconds) => _("{seconds} s of silence or hold", { seconds })],
  [/^(.+), (\d+) times$/, (what, n) => _("{what}, {n} times", { what: _(what), n })],
  [/^(open|settled|done): (.+)$/, (stands, why) => _("{stands}: {why}", { stands: _(stands), why: _(why) })],
  [/^(“.*”): (.+)$/s, (quote, meaning) => `${quote}: ${inWords(meaning)}`],
];

/** A sentence of the server as this page says it. */
export function inWords(sentence) {
  for (const [form, say] of COMPOSED) {
    const found = form.exec(sentence);
    if (found) return say(...found.slice(1));
  }
  return _(sentence);
}
