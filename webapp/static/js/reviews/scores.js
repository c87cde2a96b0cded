// Reviews in words. Pure.

import { MISSING } from "../shared/wording/format.js";
import { _ } from "../shared/wording/language.js";

export const ANSWERS = { yes: _("Yes"), no: _("No"), none: _("Does not apply") };

/** A share as a percentage. */
export const percent = (score) => (score === null || score === undefined ? MISSING : `${Math.round(score * 100)} %`);

/** The share of yes among yes and no; null if there are none. @param answers values of ANSWERS */
export function scoreOf(answers) {
  const told = answers.filter((one) => one === "yes" || one === "no");
  return told.length ? told.filter((one) => one === "yes").length / told.length : null;
}

/** The answer to begin with: one's own, else the rules', else none. */
export function firstAnswer(id, mine, byRules) {
  const given = (answers) => answers?.find(({ question }) => question === id)?.answer;
  return given(mine?.answers) ?? given(byRules) ?? "";
}

/** An id that no question has, made of its text. */
export function idFor(text, taken) {
  const plain = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "").slice(0, 40) || "question";
  let id = plain;
  for (let n = 2; taken.includes(id); n += 1) id = `${plain}-${n}`;
  return id;
}
