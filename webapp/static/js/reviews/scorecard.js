// The scorecard of the opened call: a line of answers for each question, those of the rules with their moments.

import { duration } from "../shared/wording/format.js";
import { ask } from "../shared/live/session.js";
import { ANSWERS, firstAnswer, percent, scoreOf } from "./scores.js";
import { _ } from "../shared/wording/language.js";
import { inWords } from "../shared/wording/told.js";

const at = (selector) => document.querySelector(selector);

export class Scorecard {
  #acting;
  #jump;
  #id = null;
  #told = null;

  /** Called when a review was kept. */
  onKept = () => {};

  /** @param acting an Acting  @param jump shows a second of the opened call */
  constructor(acting, jump) {
    [this.#acting, this.#jump] = [acting, jump];
    at("#answers").addEventListener("change", () => this.#score());
    at("#answers").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep();
    });
  }

  /** Another call was opened, or none. */
  async follow(id) {
    this.#id = id;
    at("#card").hidden = true;
    if (!id) return;
    const answer = await ask(`/v1/calls/${encodeURIComponent(id)}/reviews`).catch(() => null);
    if (answer?.ok && id === this.#id) this.#show(await answer.json());
  }

  #show(told) {
    this.#told = told;
    const mine = told.reviews.find(({ by }) => by === this.#acting.me);
    at("#card").hidden = false;
    at("#questions").replaceChildren(...told.scorecard.questions.map((one) => this.#question(one, mine)));
    at("#answers").elements.comment.value = mine?.comment ?? "";
    at("#reviews").replaceChildren(...told.reviews.map(({ by, score, comment }) => {
      const item = document.createElement("li");
      item.textContent = [`${by}: ${percent(score)}`, comment].filter(Boolean).join(", ");
      return item;
    }));
    this.#score();
  }

  #question({ id, text }, mine) {
    const box = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = inWords(text);
    box.append(legend);
    const first = firstAnswer(id, mine, this.#told.by_rules);
    for (const [value, words] of Object.entries(ANSWERS)) {
      const label = document.createElement("label");
      const field = document.createElement("input");
      Object.assign(field, { type: "radio", name: `q-${id}`, value, checked: value === first });
      label.append(field, ` ${words}`);
      box.append(label);
    }
    const ruled = this.#told.by_rules.find(({ question }) => question === id);
    if (ruled) box.append(this.#evidence(ruled));
    return box;
  }

  /** What a rule says, and the moments that it rests on. */
  #evidence({ answer, at: seconds }) {
    const told = document.createElement("span");
    told.className = "evidence";
    const said = ANSWERS[answer].toLowerCase();
    told.textContent = seconds.length
      ? _("A rule says {answer}: ", { answer: said })
      : _("A rule says {answer}, it found nothing", { answer: said });
    for (const second of seconds) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = duration(second);
      button.addEventListener("click", () => this.#jump(second));
      told.append(button);
    }
    return told;
  }

  #given() {
    const fields = new FormData(at("#answers"));
    const ids = this.#told.scorecard.questions.map(({ id }) => id);
    return ids.map((id) => ({ question: id, answer: fields.get(`q-${id}`) })).filter(({ answer }) => answer);
  }

  #score() {
    at("#score").textContent = _("Score {percent}", { percent: percent(scoreOf(this.#given().map(({ answer }) => answer))) });
  }

  async #keep() {
    const answers = this.#given();
    if (!answers.length) return this.#acting.tell(_("Answer a question first."));
    const by = await this.#acting.signature();
    if (!by) return;
    const comment = at("#answers").elements.comment.value;
    const body = { version: this.#told.scorecard.version, answers, comment, ...by };
    const told = await this.#acting.send("PUT", `/v1/calls/${encodeURIComponent(this.#id)}/reviews`, body);
    if (!told) return;
    this.#acting.tell(_("Your review is kept."));
    this.#show(told);
    this.onKept();
  }
}
