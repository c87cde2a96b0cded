// How long each queue's words are kept, and the names that people say there.

import { fillCards, rowOf } from "../shared/rows.js";
import { ask, buttons, say } from "./asking.js";
import { sure } from "../shared/sure.js";
import { _, ngettext } from "../shared/wording/language.js";

const at = (selector) => document.querySelector(selector);
const called = (queue) => (queue === "*" ? _("all others") : queue);
const inDays = (days) => ngettext("{n} day", "{n} days", days);

function show(found) {
  if (found) fillCards(at("#queues"), found.queues.map(queueRow));
}

function queueRow({ queue, words_days, said, sound_days, names }) {
  const words = words_days ? inDays(words_days) : _("for ever");
  const sound = sound_days ? inDays(sound_days) : _("not recorded");
  const told = names.length ? ngettext("{n} name", "{n} names", names.length) : _("none");
  const row = rowOf([called(queue), said ? words : _("{words} (the server's setting)", { words }), sound, told], true);
  /** @type {[string, string, () => any][]} */
  const doing = [[_("Change"), _("Change {queue}", { queue: called(queue) }), () => change(queue, words_days)]];
  if (words_days) doing.push([_("Keep for ever"), _("Keep for ever: {queue}", { queue: called(queue) }), () => keep(queue, 0)]);
  if (said) doing.push([_("As the server says"), _("As the server says: {queue}", { queue: called(queue) }), () => keep(queue, null)]);
  doing.push([_("Names"), _("Names of {queue}", { queue: called(queue) }), () => fill(queue, names)]);
  row.append(buttons(...doing));
  return row;
}

/** Fills the form with the present days. */
function change(queue, days) {
  const given = at("#add").elements;
  given.queue.value = queue;
  given.days.value = days || "";
  given.days.focus();
}

/** Fills the names' form with what there is. */
function fill(queue, names) {
  const given = at("#names").elements;
  given.named.value = queue;
  given.list.value = names.join("\n");
  given.list.focus();
}

async function keep(queue, words_days) {
  const found = await ask("PUT", "/v1/queues", { queue, words_days });
  show(found);
  if (found) say(kept(called(queue), words_days));
  return found;
}

function kept(queue, words_days) {
  if (words_days === null) return _("The server's setting holds for {queue} again.", { queue });
  return words_days
    ? _("Words of {queue} are kept for {days} now.", { queue, days: inDays(words_days) })
    : _("Words of {queue} are kept for ever now.", { queue });
}

at("#add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { queue, days } = event.target.elements;
  const title = _("Keep words of {queue} for {days}?", { queue: called(queue.value), days: inDays(Number(days.value)) });
  if (!(await sure(title, _("Older words go within the hour. Nobody can bring them back."), _("Keep so")))) return;
  if (await keep(queue.value, Number(days.value))) event.target.reset();
});

at("#names").elements.file.addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) at("#names").elements.list.value = (await file.text()).trim();
});

at("#names").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { named, list } = event.target.elements;
  const names = list.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const found = await ask("PUT", "/v1/queues/names", { queue: named.value, names });
  show(found);
  if (!found) return;
  say(_("{queue}: {names} from now on.", {
    queue: called(named.value),
    names: names.length ? ngettext("{n} name", "{n} names", names.length) : _("no names"),
  }));
  event.target.reset();
});

show(await ask("GET", "/v1/queues"));
