// The filters' fields and the sortable headers. Keeps the view in the URL.

import { choices, COLUMNS, nextSort, parse, write } from "./view.js";
import { kindInWords } from "../shared/wording/kinds.js";

const TYPING_MS = 150;

export class Toolbar {
  view = parse(location.search);
  #form;
  #table;
  #onChange;
  #offered = {};

  constructor(form, table, onChange) {
    [this.#form, this.#table, this.#onChange] = [form, table, onChange];
    document.documentElement.dataset.mode = this.view.wallboard ? "wallboard" : "desk";
    let typing = 0;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#read(), TYPING_MS);
    });
    form.addEventListener("reset", () => setTimeout(() => this.#read()));
    const unfold = form.querySelector("#unfold");
    unfold.addEventListener("click", () => {
      const open = form.dataset.unfolded === "no";
      form.dataset.unfolded = open ? "yes" : "no";
      unfold.setAttribute("aria-expanded", open);
    });
    for (const header of table.querySelectorAll("th[data-column]")) this.#sortable(header);
    addEventListener("popstate", () => {
      this.view = parse(location.search);
      this.#show();
      onChange();
    });
    this.#show();
  }

  /** Keeps the fields' choices up with the calls there are. */
  offer(rows) {
    for (const [name, values] of Object.entries(choices(rows))) {
      const chosen = this.view.filters[name];
      if (chosen && !values.includes(chosen)) values.push(chosen);
      const key = JSON.stringify(values);
      const field = this.#form.elements[name];
      if (this.#offered[name] === key || field === document.activeElement) continue;
      this.#offered[name] = key;
      const options = values.map((value) => new Option(name === "alert" ? kindInWords(value) : value, value));
      field.replaceChildren(field.options[0], ...options);
      field.value = chosen ?? "";
    }
  }

  #sortable(header) {
    const { column } = header.dataset;
    if (!COLUMNS[column]) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    button.addEventListener("click", () => this.#set({ sort: nextSort(this.view.sort, column) }));
    header.replaceChildren(button);
  }

  #read() {
    const filters = {};
    for (const [name, value] of new FormData(this.#form)) if (String(value).trim()) filters[name] = String(value).trim();
    this.#set({ filters });
  }

  #set(change) {
    this.view = { ...this.view, ...change };
    history.replaceState(null, "", location.pathname + write(this.view, location.search) + location.hash);
    this.#show();
    this.#onChange();
  }

  #show() {
    const { filters, sort } = this.view;
    for (const field of this.#form.elements) {
      if (!field.name || field === document.activeElement) continue;
      const wanted = filters[field.name] ?? "";
      if (field.options && wanted && ![...field.options].some((option) => option.value === wanted)) {
        field.add(new Option(wanted, wanted));
      }
      field.value = wanted;
    }
    this.#form.dataset.active = Object.keys(filters).length ? "yes" : "no";
    this.#table.dataset.sorted = sort ? "yes" : "no";
    for (const header of this.#table.querySelectorAll("th[data-column]")) {
      const mine = sort?.column === header.dataset.column;
      if (mine) header.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    }
  }
}
