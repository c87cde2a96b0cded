import assert from "node:assert/strict";
import test from "node:test";

const TEXTS = {
  "Take": "Übernehmen",
  "Signed in as {name}": "Angemeldet als {name}",
  "{n} call": ["{n} Anruf", "{n} Anrufe"],
  "state\u0004Live": "Laufend",
};

/** The module as a page in `lang` loads it. */
async function pageIn(lang, texts, languages) {
  globalThis.document = { documentElement: { lang }, getElementById: () => texts && { textContent: JSON.stringify(texts) } };
  Object.defineProperty(globalThis, "navigator", { value: { languages }, configurable: true });
  return import(`../../webapp/static/js/shared/wording/language.js?${lang}`);
}

test("an English page shows the texts in the code", async () => {
  const { _, ngettext, pgettext } = await pageIn("en", null, ["en-GB"]);
  assert.equal(_("Signed in as {name}", { name: "Ann {n}" }), "Signed in as Ann {n}");
  assert.equal(pgettext("state", "Live"), "Live");
  assert.deepEqual([0, 1, 2].map((n) => ngettext("{n} call", "{n} calls", n)), ["0 calls", "1 call", "2 calls"]);
});

test("a German page shows the texts, plurals and numbers of the catalogue", async () => {
  const { _, locale, ngettext, pgettext } = await pageIn("de", TEXTS, ["en-US", "de-DE", "de"]);
  assert.equal(locale, "de-DE");
  assert.equal(_("Signed in as {name}", { name: "Ann" }), "Angemeldet als Ann");
  assert.equal(pgettext("state", "Live"), "Laufend");
  assert.deepEqual([1, 2, 1200].map((n) => ngettext("{n} call", "{n} calls", n)), ["1 Anruf", "2 Anrufe", "1.200 Anrufe"]);
  assert.equal(_("Not in the catalogue"), "Not in the catalogue");
});

test("a language with more plurals uses gettext's forms in their order", async () => {
  const { ngettext } = await pageIn("pl", { "{n} call": ["{n} rozmowa", "{n} rozmowy", "{n} rozmów"] }, ["pl"]);
  assert.deepEqual([1, 3, 5].map((n) => ngettext("{n} call", "{n} calls", n)), ["1 rozmowa", "3 rozmowy", "5 rozmów"]);
});
