// The list that judges a call's alerts. One press says right or not needed; then one may choose a reason.

import { judgedBy, questions, WHYS } from "./questions.js";
import { _ } from "../shared/wording/language.js";

export class Judging {
  #list;
  #acting;
  #most;
  #id = null;
  #lines = new Map(); // alert -> its line's parts

  /** @param list a <ul>  @param acting an Acting  @param most the most questions, the call itself first */
  constructor(list, acting, most = Infinity) {
    [this.#list, this.#acting, this.#most] = [list, acting, most];
  }

  /** Shows the questions about a call. The focus stays where it is. @param row of the call */
  show(row) {
    if (row.call_id !== this.#id) {
      this.#list.replaceChildren();
      this.#lines.clear();
    }
    this.#id = row.call_id;
    for (const question of questions(row).slice(0, this.#most)) {
      if (!this.#lines.has(question.alert)) this.#add(question.alert);
      this.#fill(this.#lines.get(question.alert), question);
    }
  }

  #add(alert) {
    const line = {
      item: document.createElement("div"),
      text: document.createElement("span"),
      right: button(_("Right")),
      wrong: button(_("Not needed")),
      why: document.createElement("select"),
      by: document.createElement("span"),
    };
    line.item.setAttribute("role", "group");
    line.by.className = "by";
    line.why.setAttribute("aria-label", _("Why it was not needed"));
    line.why.append(...Object.entries(WHYS).map(([value, text]) => new Option(text, value)));
    line.right.addEventListener("click", () => this.#say(alert, { right: true }));
    line.wrong.addEventListener("click", () => this.#say(alert, { right: false }));
    line.why.addEventListener("change", () => this.#say(alert, { right: false, why: line.why.value }));
    line.item.append(line.text, line.right, line.wrong, line.why, line.by);
    const place = document.createElement("li");
    place.append(line.item);
    this.#list.append(place);
    this.#lines.set(alert, line);
  }

  #fill({ item, text, right, wrong, why, by }, { text: told, judged }) {
    text.textContent = told;
    item.setAttribute("aria-label", told);
    right.setAttribute("aria-pressed", String(judged?.right === true));
    wrong.setAttribute("aria-pressed", String(judged?.right === false));
    why.hidden = judged?.right !== false;
    if (document.activeElement !== why) why.value = judged?.why ?? "";
    by.textContent = judgedBy(judged, this.#acting.me);
  }

  #say = (alert, judgement) => this.#acting.judge(this.#id, alert, judgement);
}

function button(text) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  return made;
}
