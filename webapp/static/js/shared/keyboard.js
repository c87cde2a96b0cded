// The keyboard: arrows between rows, / to the search, ? for help, Escape back out.

/**
 * @param table a Table  @param help the help dialog  @param search the search field or null
 * @param close () -> what Escape closes  @param acts key -> (the row with the focus, or null) -> false if the key is not for it
 */
export function listen({ table, help, search, close, acts }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {?HTMLElement} */
    const typing = /** @type {Element} */ (event.target).closest("input:not([type=range], [type=checkbox]), select, textarea");
    if (event.key === "Escape") {
      if (typing === search && table.focus(table.ids[0])) return;
      if (typing) typing.blur();
      else if (!help.open) close();
      return;
    }
    if (typing || help.open) return;
    const act = ACTIONS[event.key] ?? (acts[event.key] && (() => acts[event.key](rowOf(event))));
    if (act && act({ table, help, search, event }) !== false) event.preventDefault();
  });
  // Only one row is in the tab order: Tab leads into the table and out of it, arrows move inside.
  document.addEventListener("focusin", ({ target }) => {
    const row = /** @type {Element} */ (target).closest?.("tr[data-call-id]");
    if (row) makeReachable(row);
  });
}

let reachable = null;

/** Puts a row into the tab order if the one in it has gone. */
export function keepReachable(row) {
  if (reachable?.isConnected || !row) return;
  makeReachable(row);
}

function makeReachable(row) {
  if (reachable) reachable.tabIndex = -1;
  reachable = row.querySelector("a");
  reachable.tabIndex = 0;
}

const ACTIONS = {
  ArrowDown: (context) => step(context, 1),
  ArrowUp: (context) => step(context, -1),
  j: (context) => step(context, 1),
  k: (context) => step(context, -1),
  Home: ({ table, event }) => Boolean(rowOf(event)) && table.focus(table.ids.at(0)),
  End: ({ table, event }) => Boolean(rowOf(event)) && table.focus(table.ids.at(-1)),
  "/": ({ search }) => (search ? search.focus() : false),
  "?": ({ help }) => help.showModal(),
};

const rowOf = (event) => event.target.closest("tr[data-call-id]");

function step({ table, event }, by) {
  if (event.target.closest(".call, input")) return false; // arrows scroll the opened call
  const at = table.ids.indexOf(rowOf(event)?.dataset.callId);
  return table.focus(table.ids[at < 0 ? 0 : at + by]);
}
