// The questions of the scorecard as a form: each with its words, and the rule that answers it if one does.

import { ask } from "../shared/live/session.js";
import { idFor } from "./scores.js";
import { editYaml } from "./yaml.js";
import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

const at = (selector) => document.querySelector(selector);

/** Readies the form. @param acting an Acting  @param onSaved called with the new edition */
export function editQuestions(acting, onSaved) {
  let card = null;
  let rules = [];

  const line = ({ id = "", text = "", rule = "", hit = "no" }) => {
    const item = document.createElement("li");
    item.dataset.question = id;
    const words = Object.assign(document.createElement("input"), { value: text, maxLength: 200, required: true });
    words.setAttribute("aria-label", _("Question"));
    const by = choice(_("Answered by"), [["", _("people")], ...rules.map((one) => [`rule:${one.id}`, _("rule: {title}", { title: one.title })])], rule);
    const means = choice(_("What a hit means"), [["no", _("a hit means no")], ["yes", _("a hit means yes")]], hit);
    const show = () => (means.hidden = !by.value);
    by.addEventListener("change", show);
    show();
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: _("Remove") });
    remove.addEventListener("click", () => item.remove());
    item.append(words, by, means, remove);
    return item;
  };

  /** Those that the scorecard begins with are offered in the page's language; once saved they stay as they are. */
  const worded = (one) => (card.version ? one : { ...one, text: inWords(one.text) });
  const show = () => at("#edited").replaceChildren(...card.questions.map(worded).map(line));

  at("#editor").addEventListener("toggle", async () => {
    if (!at("#editor").open || card) return;
    rules = await knownRules(acting);
    const answer = await ask("/v1/scorecard").catch(() => null);
    if (!answer?.ok) return acting.tell(_("The page could not fetch the questions. Reload to try again."));
    card = await answer.json();
    show();
  });
  const savedOtherwise = editYaml(acting, (made) => {
    card = made;
    show();
    onSaved();
  });
  at("#add").addEventListener("click", () => {
    at("#edited").append(line({}));
    at("#edited").lastElementChild.querySelector("input").focus();
  });
  at("#edit").addEventListener("submit", async (event) => {
    event.preventDefault();
    const by = await acting.signature();
    if (!by) return;
    const taken = card.questions.map(({ id }) => id);
    const questions = [...at("#edited").children].map((item) => {
      const [rule, hit] = item.querySelectorAll("select");
      const text = item.querySelector("input").value.trim();
      const id = item.dataset.question || idFor(text, taken);
      taken.push(id);
      return { id, text, rule: rule.value, hit: hit.value };
    });
    const made = await acting.send("PUT", "/v1/scorecard", { after: card.version, questions, ...by });
    if (!made) return;
    card = made;
    show();
    savedOtherwise();
    acting.tell(_("The questions are saved."));
    onSaved();
  });
}

/** The rules that apply now, which may answer a question; none if they cannot be read. */
async function knownRules(acting) {
  const yaml = await ask("/v1/rules", { headers: { Accept: "application/yaml" } }).catch(() => null);
  if (!yaml?.ok) return [];
  const told = await acting.send("POST", "/v1/rules/understood", await yaml.text(), "application/yaml");
  return told?.rules ?? [];
}

function choice(label, options, value) {
  const made = document.createElement("select");
  made.setAttribute("aria-label", label);
  made.append(...options.map(([of, text]) => new Option(text, of)));
  if (value && !options.some(([of]) => of === value)) made.append(new Option(value, value));
  made.value = value;
  return made;
}
