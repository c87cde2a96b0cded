// The rules as a list and a form. The text is what gets saved and tried; the form writes each change into it.

import { fieldsOf, labelOf, newRule, ruleOf } from "./shape.js";

export class RuleForm {
  #list;
  #form;
  #write;
  #file = null;
  #chosen = 0;

  /** @param list a <ul>  @param form of one rule  @param write (file) -> whether the text has it now */
  constructor(list, form, write) {
    [this.#list, this.#form, this.#write] = [list, form, write];
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const rules = this.#file.rules.with(this.#chosen, ruleOf(this.#fields(), this.#file.rules[this.#chosen]));
      this.#change({ ...this.#file, rules }, () => this.#entries()); // words typed since then stay
    });
    form.querySelector("[name=remove]").addEventListener("click", () => this.#remove());
  }

  /** The rules of the text. @param file with `rules`; null if the text has an error */
  show(file) {
    this.#file = file;
    this.#form.hidden = !file?.rules.length;
    this.#chosen = Math.min(this.#chosen, Math.max(0, (file?.rules.length ?? 0) - 1));
    this.#draw();
  }

  /** Adds a rule and puts the cursor into its title. */
  async add() {
    if (!this.#file) return;
    const { rules } = this.#file;
    const made = { ...newRule(rules.map(({ id }) => id)), phrases: ["words to listen for"] };
    this.#chosen = rules.length;
    if (await this.#change({ ...this.#file, rules: [...rules, made] })) this.#form.elements.title.focus();
  }

  #draw() {
    this.#entries();
    if (this.#file?.rules.length) this.#fill(fieldsOf(this.#file.rules[this.#chosen]));
  }

  #entries() {
    this.#list.replaceChildren(...(this.#file?.rules ?? []).map((rule, at) => this.#entry(rule, at)));
  }

  #entry(rule, at) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = labelOf(rule);
    button.setAttribute("aria-current", String(at === this.#chosen));
    button.addEventListener("click", () => {
      this.#chosen = at;
      this.#draw();
      this.#form.elements.title.focus();
    });
    item.append(button);
    return item;
  }

  #fill(fields) {
    for (const [name, value] of Object.entries(fields)) {
      const field = this.#form.elements[name];
      if (field.type === "checkbox") field.checked = value;
      else field.value = value;
    }
  }

  #fields() {
    const fields = Object.fromEntries(new FormData(this.#form));
    return { ...fields, enabled: this.#form.elements.enabled.checked };
  }

  #remove() {
    const rules = this.#file.rules.filter((_, at) => at !== this.#chosen);
    this.#change({ ...this.#file, rules });
  }

  async #change(file, draw = () => this.show(file)) {
    if (!(await this.#write(file))) return false;
    this.#file = file;
    draw();
    return true;
  }
}
