// The page's language. English texts are in the code; a page in another language carries its texts as JSON, made by
// webapp/http/language.py. Values are in braces: _("Signed in as {name}", { name }). Pure except for that JSON.

const page = globalThis.document;
/** The page's language, such as "de". */
export const language = page?.documentElement.lang || "en";

/** The browser's own form of it, such as "de-AT": how times and numbers look. */
export const locale = globalThis.navigator?.languages?.find((one) => one.split("-")[0] === language) ?? language;

/** @type {Record<string, string | string[]>} */
const texts = JSON.parse(page?.getElementById("texts")?.textContent ?? "{}");

const plurals = new Intl.PluralRules(language);
/** The plural forms of the language, in the order in which gettext numbers them. */
const forms = ["zero", "one", "two", "few", "many", "other"].filter((form) =>
  plurals.resolvedOptions().pluralCategories.some((known) => known === form),
);
const numbers = new Intl.NumberFormat(locale);

/** The text in the page's language. @param {Record<string, unknown>} [values] */
export function _(text, values = {}) {
  return fill(String(texts[text] ?? text), values);
}

/** As `_`, for a text that means several things in English: `context` says which. @param {Record<string, unknown>} [values] */
export function pgettext(context, text, values = {}) {
  return fill(String(texts[`${context}\u0004${text}`] ?? text), values);
}

/** The text for `n` of something; {n} stands for the number. @param {Record<string, unknown>} [values] */
export function ngettext(one, many, n, values = {}) {
  const told = texts[one] ?? [one, many];
  const text = told[Math.min(forms.indexOf(plurals.select(n)), told.length - 1)];
  return fill(text, { n: numbers.format(n), ...values });
}

/** @param {string} text @param {Record<string, unknown>} values */
function fill(text, values) {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}
