// Kinds of alerts as words. Pure.

import { _ } from "./language.js";

/** Earshot's own kinds; a supervisor's rule has its own words. */
const KINDS = {
  "needs-attention": _("Needs attention"),
  "legal-threat": _("Legal threat"),
  "repeat-contact": _("Repeat contact"),
  "fed-up": _("Fed up"),
  escalation: _("Escalation"),
  cancellation: _("Cancellation"),
  vulnerability: _("Vulnerability"),
  profanity: _("Profanity"),
  "greeting-missing": _("Greeting missing"),
  "recording-notice-missing": _("Recording notice missing"),
  "escalation-unanswered": _("Escalation unanswered"),
  "card-number-asked": _("Card number asked"),
};

/** A kind of Earshot's own in words, a rule's with them; null for others. */
export const knownKind = (kind) => KINDS[kind.replace(/^rule:/, "").replaceAll("_", "-")] ?? null;

/** Any kind in words: "supervisor_request" -> "Supervisor request". */
export function kindInWords(kind) {
  const plain = kind.replaceAll(/[_-]+/g, " ");
  return knownKind(kind) ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}
