// From the first sign-in to the first call: a key, the settings for telephony, and whether its audio arrives.

import { party } from "../shared/wording/format.js";
import { fillCards, rowOf } from "../shared/rows.js";
import { ask, say } from "./asking.js";
import { copyButton, showOnce } from "./once.js";
import { _, ngettext } from "../shared/wording/language.js";

const EVERY_MS = 2_000;
const HERE = "https://earshot.example"; // in the commands until the address is known, as in docs/TELEPHONY.md

const at = (selector) => document.querySelector(selector);
const commands = [...document.querySelectorAll("pre.copy")].map((pre) => ({ pre, text: pre.textContent }));
const address = at("#address");
let key = "KEY";

/** Puts the address and the key into every command. */
function fillIn() {
  const base = address.value.trim().replace(/\/+$/, "") || HERE;
  const socket = base.replace(/^http/, "ws");
  for (const { pre, text } of commands) {
    pre.textContent = text.replaceAll(HERE, base).replaceAll(HERE.replace("https", "wss"), socket).replaceAll("KEY", key);
  }
  at("#near").hidden = !/^https?:\/\/(localhost|127\.|\[::1\])/.test(base);
}

function choose() {
  for (const part of document.querySelectorAll(".system")) {
    /** @type {HTMLElement} */ (part).hidden = /** @type {HTMLElement} */ (part).dataset.system !== at("#system").value;
  }
}

/** The state of live calls in one sentence. @param more whether there are more than these */
function stage(calls, more) {
  const heard = calls.filter((call) => Object.values(call.tracks).some((track) => track.next_seq > 1));
  const counted = (n) => ({ n: more ? `${n}+` : n });
  if (!calls.length) return _("Waiting for audio…");
  if (!heard.length) return ngettext("{n} call announced. The audio has not come yet.", "{n} calls announced. The audio has not come yet.", calls.length, counted(calls.length));
  if (heard.some((call) => call.last)) return _("Earshot writes down what is said. That is all: open the live table.");
  const decoded = heard.some((call) => Object.values(call.tracks).some((track) => track.decoded_seq));
  if (decoded) return ngettext("Audio of {n} call arrives. Waiting for the first words…", "Audio of {n} calls arrives. Waiting for the first words…", heard.length, counted(heard.length));
  return ngettext("Audio of {n} call arrives. If no words follow, no decoder runs.", "Audio of {n} calls arrives. If no words follow, no decoder runs.", heard.length, counted(heard.length));
}

function callRow(call) {
  const tracks = Object.entries(call.tracks);
  const sent = tracks.map(([name, track]) => `${party(name)}: ${ngettext("{n} chunk", "{n} chunks", track.next_seq - 1)}`).join(", ");
  const row = rowOf(["", tracks.map(([name]) => party(name)).join(", "), sent, call.last ? call.last.text : "–"], true);
  const link = document.createElement("a");
  link.href = `/#/calls/${encodeURIComponent(call.call_id)}`;
  link.textContent = call.call_id;
  /** @type {Element} */ (row.firstChild).append(link);
  return row;
}

async function look() {
  const found = await ask("GET", "/v1/calls?state=live&limit=20");
  if (!found) return;
  const said = stage(found.calls, found.next_cursor);
  if (at("#audio").textContent !== said) at("#audio").textContent = said; // read aloud when it changes, not every time
  at("#calls").hidden = !found.calls.length;
  if (!at("#calls").contains(document.activeElement)) fillCards(at("#calls"), found.calls.map(callRow));
}

at("#add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const made = await ask("POST", "/v1/keys", { name: event.target.elements.name.value, scopes: ["ingest"] });
  if (!made) return;
  key = made.key;
  fillIn();
  say(_("The commands below have the key."));
  showOnce(_("The key {name}.", { name: made.name }), key);
});
address.addEventListener("input", fillIn);
at("#system").addEventListener("change", choose);
for (const { pre } of commands) pre.after(copyButton(() => pre.textContent || ""));

address.value = address.dataset.known || location.origin;
fillIn();
look();
setInterval(look, EVERY_MS);
