// For how long each queue is kept, and which names are said there.

import { counted } from "../shared/wording/format.js";
import { rowOf } from "../shared/rows.js";
import { ask, buttons, say } from "./asking.js";
import { sure } from "../shared/sure.js";

const at = (selector) => document.querySelector(selector);
const called = (queue) => (queue === "*" ? "all others" : queue);

function show(found) {
  if (found) at("#queues tbody").replaceChildren(...found.queues.map(queueRow));
}

function queueRow({ queue, words_days, said, sound_days, names }) {
  const words = words_days ? counted(words_days, "day") : "for ever";
  const sound = sound_days ? counted(sound_days, "day") : "not recorded";
  const told = names.length ? counted(names.length, "name") : "none";
  const row = rowOf([called(queue), said ? words : `${words} (the server's setting)`, sound, told], true);
  /** @type {[string, string, () => any][]} */
  const doing = [["Change", `Change ${called(queue)}`, () => change(queue, words_days)]];
  if (words_days) doing.push(["Keep for ever", `Keep for ever: ${called(queue)}`, () => keep(queue, 0)]);
  if (said) doing.push(["As the server says", `As the server says: ${called(queue)}`, () => keep(queue, null)]);
  doing.push(["Names", `Names of ${called(queue)}`, () => fill(queue, names)]);
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
  if (words_days === null) return `The server's setting holds for ${queue} again.`;
  return `Words of ${queue} are kept ${words_days ? `for ${counted(words_days, "day")}` : "for ever"} now.`;
}

at("#add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { queue, days } = event.target.elements;
  const title = `Keep words of ${called(queue.value)} for ${counted(Number(days.value), "day")}?`;
  if (!(await sure(title, "Older words go within the hour. Nobody can bring them back.", "Keep so"))) return;
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
  say(`${called(named.value)}: ${names.length ? counted(names.length, "name") : "no names"} from now on.`);
  event.target.reset();
});

show(await ask("GET", "/v1/queues"));
