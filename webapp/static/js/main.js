// Wires the page together.

import { Acting } from "./shared/live/acting.js";
import { Announcer } from "./shared/announce.js";
import { Away } from "./shared/away.js";
import { Judging } from "./judging/judging.js";
import { Bell } from "./shared/bell.js";
import { save, toCsv } from "./table/csv.js";
import { Desk } from "./call/desk.js";
import { mark } from "./shared/dom.js";
import { Heads } from "./table/heads.js";
import { isWaiting, wantsHelp } from "./shared/wording/handling.js";
import { keepReachable, listen } from "./shared/keyboard.js";
import { Link } from "./shared/live/link.js";
import { Listening } from "./call/listening.js";
import { Board } from "./table/board.js";
import { closeMenus } from "./shared/menus.js";
import { Opening } from "./call/opening.js";
import { Order } from "./table/order.js";
import { Peek } from "./table/peek.js";
import { Panel } from "./call/panel.js";
import { Phones } from "./call/phones.js";
import { RowMenu } from "./table/row_menu.js";
import { Search } from "./table/search.js";
import { ask } from "./shared/live/session.js";
import { Status } from "./shared/status.js";
import { Backgrounds } from "./shared/live/story.js";
import { Calls, isBehind } from "./shared/live/store.js";
import { Table } from "./table/table.js";
import { Toolbar } from "./table/toolbar.js";
import { COLUMNS, matches } from "./table/view.js";
import { _ } from "./shared/wording/language.js";
import { excerpt } from "./shared/wording/sought.js";

const at = (selector) => document.querySelector(selector);

const calls = new Calls();
const order = new Order();
const status = new Status(document.documentElement);
const clock = () => Date.now() + status.offsetMs;
const announcer = new Announcer(at("#news"));
const table = new Table(at("#calls"), at("#row"), calls, order, clock);

table.isStale = () => status.stale;
const panel = new Panel(at("#call"), calls, stoppingClock());
const acting = new Acting({
  calls,
  dialog: at("#who"),
  said: at("#said"),
  onChange: (event) => handlers.events([event]),
});
const desk = new Desk(at("#call"), acting);
const opening = new Opening(panel, desk, () => table.ids.filter((id) => isWaiting(calls.rows.get(id) ?? { state: "ended" })));
const judging = [new Judging(at("#judged-now"), acting, 1), new Judging(at("#judging"), acting)];
const inMenu = new Judging(at("#judge ul"), acting);
const judgingMenu = new RowMenu({ dialog: at("#judge"), part: "judge", table: at("#calls"), calls, show: (row) => inMenu.show(row) });
const phone = at("#phone") && new Phones(at("#switch"), at("#phone"), acting, { table: at("#calls"), calls }); // null: no switch
const backgrounds = new Backgrounds();
const bell = new Bell(at("#bell"), acting, backgrounds, hear);
table.viewer = () => acting.me;
panel.onDraw = (row, nowMs) => {
  desk.show(row, nowMs);
  for (const list of judging) list.show(row);
  phone?.show(row);
  listening?.show(row.state !== "live", panel.worst, panel.utterances);
};
const search = new Search(() => choose());
table.hit = (row) => {
  const hit = search.has(row) ? search.hit(row.call_id) : null;
  return hit && { ...hit, parts: excerpt(hit.text, search.words) };
};
const toolbar = new Toolbar(at("#filters"), at("#calls"), choose);

/** The server's clock. It stands still while the page may be out of date. */
function stoppingClock() {
  let stoppedMs = 0;
  return () => {
    if (!status.stale) stoppedMs = 0;
    else if (!stoppedMs) stoppedMs = clock();
    return stoppedMs || clock();
  };
}

function choose() {
  const { filters, sort } = toolbar.view;
  const column = sort && { value: COLUMNS[sort.column].value, descending: sort.descending };
  search.look(filters.q ?? "");
  at("#in-history").href = `/history?${new URLSearchParams(filters.q ? { text: filters.q } : {})}`;
  table.choose((row) => matches(row, filters, search.has(row)), column);
}
choose();

const board = new Board(at("#board"));
const peek = new Peek(at("#peek"), at("#calls"), {
  rows: { get: (id) => calls.rows.get(id) },
  judging: new Judging(at("[data-card=judging]"), acting, 1),
  acting,
  backgrounds,
  opened: () => panel.id,
  hear,
});
const heads = new Heads(at("#calls"), () => at("#filters").reset());

const away = new Away(at("#away"), clock);
away.rows = () => calls.rows;
away.viewer = () => acting.me;

table.onArranged = (groups) => {
  const rows = [...calls.rows.values()];
  const shown = table.ids.length;
  mark(at("#wall"), "view", !rows.length ? "empty" : shown ? "calls" : "unmatched");
  at("#matching").textContent = shown < rows.length ? matching(shown, rows.length) : "";
  const live = rows.filter((row) => row.state !== "ended");
  const needing = live.filter((row) => order.group(row) === "needs");
  const stands = new Set(table.ids);
  heads.show(groups, needing.filter((row) => !stands.has(row.call_id)).length);
  showBoard(groups);
  const tracks = live.reduce((sum, row) => sum + Object.keys(row.tracks).length, 0);
  status.counts({ live: live.length, needs: needing.length, behind: live.filter(isBehind).length }, tracks);
  ring();
  away.update(needing.map((row) => row.call_id));
  announcer.update(needing.map((row) => row.call_id), calls.rows);
  toolbar.offer(rows);
};

function matching(shown, all) {
  const values = { shown, all };
  return search.sounding ? _("{shown} of {all} calls, by sound", values) : _("{shown} of {all} calls", values);
}

let groupsShown = null;

/** The wallboard, if it is on. */
function showBoard(groups = groupsShown) {
  groupsShown = groups;
  if (toolbar.view.wallboard && groups && !status.stale) board.show(groups, calls.rows, clock());
}
setInterval(showBoard, 1_000);

table.onScrolled = () => keepReachable(table.first);

const listening = at("#listen") && new Listening(at("#listen"), at("[data-listen=play]"));
panel.onPlay = (second, how) => listening?.from(second, how);
if (listening) listening.onHeard = (second) => panel.hear(second);

/** Tells the bell which calls wait for a supervisor. */
function ring() {
  const waiting = [...calls.rows.values()].filter(isWaiting);
  bell.update(waiting.sort((a, b) => Number(wantsHelp(b)) - Number(wantsHelp(a)) || b.attention - a.attention));
}

panel.onChange = (id) => {
  peek.hide();
  listening?.follow(id);
  document.documentElement.dataset.opened = id ? "yes" : "no";
  table.current = id;
  const hit = id && search.hit(id);
  if (hit) panel.find(hit.utterance_id, search.words);
};

at(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the opened call
  table.focus(table.ids[0]);
});
at("#help-open").addEventListener("click", () => {
  closeMenus();
  at("#help").showModal();
});
at("#export").addEventListener("click", () => {
  closeMenus();
  const rows = table.ids.map((id) => calls.rows.get(id)).filter(Boolean);
  save("calls.csv", toCsv(rows), "text/csv");
});
at("#next-worst").addEventListener("click", nextWorst);
at("#calls").addEventListener("click", ({ target }) => {
  if (!target.closest("a")) target.closest("tr[data-call-id]")?.querySelector("a").click();
});
at("#call-close").addEventListener("click", closeCall);
listen({
  table,
  help: at("#help"),
  search: at("#search"),
  close: closeCall,
  acts: {
    t: (row) => onCall(row, (id) => acting.take(id)),
    a: (row) => onCall(row, (id) => acting.set(id, "acknowledged")),
    s: (row) => onCall(row, (id) => acting.set(id, "snoozed", { seconds: 300 })),
    n: (row) => onCall(row, (id) => opening.write(id)),
    v: (row) => onCall(row, (id) => judgingMenu.open(id)),
    c: (row) => onCall(row, (id) => phone?.open(id) ?? false),
    b: () => bell.open(),
    w: nextWorst,
    p: (row) => onCall(row, hear),
    l: () => (listening && panel.id ? listening.toggle() : false),
  },
});

/** Acts on the call whose row has the focus, or on the opened one. */
function onCall(row, act) {
  const id = row?.dataset.callId ?? panel.id;
  return id ? act(id) : false;
}

function nextWorst() {
  if (!opening.next()) acting.tell(_("No call waits for a supervisor."));
}

/** Opens a call and plays the words before its alert. */
function hear(id) {
  peek.hide();
  opening.hear(id);
}

/** Closes the opened call and returns the focus to its row; or leaves the wallboard. */
function closeCall() {
  if (toolbar.view.wallboard) location.assign(location.pathname);
  const { id } = panel;
  panel.close();
  table.focus(id);
}

const handlers = {
  snapshot(rows, away) {
    calls.replace(rows, clock(), (id) => away.includes(status.shardOf(id)));
    table.refresh();
    panel.load();
  },
  events(events) {
    for (const event of events) {
      calls.apply(event, clock());
      panel.apply(event);
    }
    if (events.some(({ kind }) => kind === "handling")) ring();
    judgingMenu.follow();
    peek.refresh(events.map(({ call_id }) => call_id));
    table.schedule();
  },
  fleet: (view) => {
    status.fleet(view);
    for (const row of at("#calls").querySelectorAll("tr[data-call-id]")) {
      mark(row, "away", status.isAway(row.dataset.callId) ? "yes" : "no");
    }
  },
  heard: () => status.heard(),
  link: (connected) => status.link(connected),
  // A browser does not say why a socket was refused: ask whether we are still signed in.
  async refused() {
    await ask("/v1/session").catch(() => null);
  },
};

/** The calls whose words somebody can see: the opened one, and the rows in the window or the cards of the wallboard. */
function inSight() {
  const rows = toolbar.view.wallboard ? table.ids : table.inSight;
  return new Set(document.hidden ? [] : [panel.id, ...rows].filter(Boolean));
}

panel.follow();
try {
  const { io } = await import("../vendor/socket.io.esm.min.js");
  const socket = io({
    transports: ["websocket"],
    autoConnect: false,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    randomizationFactor: 0.8, // when a server goes, its pages should not all come back at the same moment
    timeout: 10_000,
  });
  const link = new Link(socket, handlers);
  setInterval(() => link.sees(inSight()), 1_000);
} catch {
  status.fail(_("Parts of this page are missing. Install npm on the server, run scripts/setup there, and reload."));
}
