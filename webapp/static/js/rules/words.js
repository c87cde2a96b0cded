// The test box: tries the rules on words while somebody types them.

import { hitCells } from "../shared/wording/figures.js";
import { rowOf } from "../shared/rows.js";
import { _ } from "../shared/wording/language.js";

const PAUSE_MS = 300;

/**
 * @param box holds a select of the party, a textarea of the words, a table and a note
 * @param ask (text, track, queue) -> hits; null if the rules cannot be read
 */
export function listen(box, ask) {
  const [track, words, queue, found, note] = ["track", "words", "queue", "found", "note"].map((name) =>
    box.querySelector(`[data-words=${name}]`),
  );
  let timer = 0;
  let asked = 0;
  const look = async () => {
    const turn = ++asked;
    const text = words.value.trim();
    const hits = text ? await ask(text, track.value, queue.value.trim()) : [];
    if (turn !== asked) return;
    found.hidden = !hits?.length;
    found.tBodies[0].replaceChildren(...(hits ?? []).map((hit) => rowOf(hitCells(hit).slice(2))));
    note.textContent = !text ? "" : hits === null ? _("The rules cannot be read.") : hits.length ? "" : _("No rule applies.");
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  };
  for (const field of [track, words, queue]) field.addEventListener("input", soon);
  return soon;
}
