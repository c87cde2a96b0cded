// What the audit trail says in words. Its codes stay what one searches for, and what files and the API have. Pure.

import { _ } from "./language.js";

/** @type {Record<string, string>} */
export const DEEDS = {
  "sign-in": _("signed in"),
  "sign-in-failed": _("could not sign in"),
  "sign-in-locked": _("was locked out for wrong passwords"),
  "sign-out": _("signed out"),
  "signed-out": _("signed somebody out"),
  "user-added": _("made an account"),
  "user-removed": _("removed an account"),
  "password-set": _("set a password"),
  "role-set": _("set a role"),
  "key-made": _("made a key"),
  "key-revoked": _("revoked a key"),
  "queue-kept": _("set how long a queue is kept"),
  "queue-names": _("set the names of a queue"),
  "audit-export": _("downloaded the audit trail"),
  "retry-job": _("had a job tried again"),
  erase: _("began to erase"),
  "erase-customer": _("began to erase a customer"),
  erased: _("erased"),
  hold: _("set a legal hold"),
  release: _("took a legal hold away"),
  backup: _("made a backup"),
  restore: _("restored a backup"),
  webhook: _("webhook:"),
  take: _("took"),
  "hand-back": _("handed back"),
  acknowledge: _("acknowledged"),
  snooze: _("snoozed"),
  note: _("wrote a note"),
  tag: _("tagged"),
  untag: _("took the tag away:"),
  judge: _("judged"),
  message: _("wrote to the agent"),
  "help-asked": _("asked for help"),
  "help-cancelled": _("needed no help any more"),
  whisper: _("whispered to the agent"),
  barge: _("barged in"),
  takeover: _("took the line over"),
  hangup: _("hung up"),
  extension: _("set an extension"),
  rules: _("saved the rules"),
  model: _("changed the attention model"),
  scorecard: _("saved the scorecard"),
  review: _("reviewed"),
  read: _("read"),
  listen: _("listened"),
  recording: _("heard the recording"),
  export: _("downloaded"),
  search: _("searched"),
  report: _("read a report"),
  reviews: _("read reviews"),
  sample: _("drew a sample"),
  watch: _("followed the live calls"),
  "own-call": _("read the own call"),
  "dry-run": _("tried rules"),
};

/** Where a doer is known from. @type {Record<string, string>} */
const ORIGINS = {
  account: _("account"),
  key: _("API key"),
  command: _("command"),
  anyone: _("name given"),
  stranger: _("not known"),
};

export const originInWords = (origin) => ORIGINS[origin] ?? origin;

/** "take (help after 5 s)" -> "took (help after 5 s)": the code in words, what follows it as it is. */
export function deedInWords(what) {
  const code = /^[a-z-]+/.exec(what)?.[0] ?? "";
  return Object.hasOwn(DEEDS, code) ? DEEDS[code] + what.slice(code.length) : what;
}
