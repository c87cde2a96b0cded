// Between a rule and the form's fields. Pure.

import { _ } from "../shared/wording/language.js";
import { severityWord } from "../shared/wording/figures.js";

/** A rule as the fields' values. */
export function fieldsOf(rule) {
  const missing = rule.and_not;
  return {
    title: rule.title,
    phrases: (rule.phrases ?? []).join("\n"),
    examples: (rule.examples ?? []).join("\n"),
    alike: String(rule.alike),
    track: rule.track,
    missing: (missing?.phrases ?? []).join("\n"),
    within: String(missing?.within_seconds ?? 30),
    missing_track: missing?.track ?? "agent",
    times: String(rule.times),
    severity: rule.severity,
    about: rule.about,
    queue: rule.queue ?? "",
    webhook: rule.webhook ?? "",
    cooldown: String(rule.cooldown_seconds),
    enabled: rule.enabled,
  };
}

/** The rule that the fields describe. @param before the rule as it was: members that the form does not show stay */
export function ruleOf(fields, before) {
  const said = lines(fields.missing);
  return {
    ...before,
    title: fields.title.trim(),
    phrases: lines(fields.phrases),
    examples: lines(fields.examples),
    alike: Number(fields.alike),
    track: fields.track,
    and_not: said && { phrases: said, within_seconds: Number(fields.within), track: fields.missing_track },
    times: Number(fields.times),
    severity: fields.severity,
    about: fields.about,
    queue: fields.queue.trim() || null,
    webhook: fields.webhook.trim() || null,
    cooldown_seconds: Number(fields.cooldown),
    enabled: fields.enabled,
  };
}

/** A new rule. @param taken ids that are in use */
export function newRule(taken) {
  let number = 1;
  while (taken.includes(`rule-${number}`)) number += 1;
  return {
    id: `rule-${number}`, title: "New rule", severity: "medium", about: "attention", track: "customer",
    phrases: null, examples: null, alike: 0.55, and_not: null, times: 1, polarity_below: null, cooldown_seconds: 60, queue: null, webhook: null, enabled: true,
  };
}

/** One phrase a line; null for none. */
function lines(text) {
  const found = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return found.length ? found : null;
}

/** A rule's line in the list. */
export const labelOf = ({ title, severity, enabled, queue }) =>
  [title, severityWord(severity), queue && _("only {queue}", { queue }), enabled ? "" : _("off")].filter(Boolean).join(" · ");
