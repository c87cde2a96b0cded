// Wires the page together.

import { Announcer } from "./announce.js";
import { keepReachable, listen } from "./keys.js";
import { Link } from "./link.js";
import { Order } from "./order.js";
import { Status } from "./status.js";
import { Calls, isBehind } from "./store.js";
import { Table } from "./table.js";

const at = (selector) => document.querySelector(selector);

const calls = new Calls();
const order = new Order();
const status = new Status(document.documentElement);
const clock = () => Date.now() + status.offsetMs;
const announcer = new Announcer(at("#news"));
const table = new Table(at("#calls"), at("#row"), calls, order, clock);

table.onArranged = (groups, waiting) => {
  at("#wall").dataset.view = calls.rows.size ? "calls" : "empty";
  for (const [group, ids] of Object.entries(groups)) {
    const body = at(`tbody[data-group=${group}]`);
    body.querySelector(".size").textContent = ids.length;
    body.dataset.empty = ids.length ? "no" : "yes";
  }
  at("#held").hidden = !waiting;
  at("#held-count").textContent = waiting;
  const rows = [...calls.rows.values()];
  const live = rows.filter((row) => row.state !== "ended");
  const needing = live.filter((row) => order.group(row) === "needs");
  status.counts({ live: live.length, needs: needing.length, behind: live.filter(isBehind).length });
  announcer.update(needing.map((row) => row.call_id), calls.rows);
  keepReachable(table.elements[0]);
};

at("#held").addEventListener("click", () => {
  table.hold.release();
  table.arrange(true);
});
at("#help-open").addEventListener("click", () => at("#help").showModal());
at("#calls").addEventListener("click", ({ target }) => {
  if (!target.closest("a")) target.closest("tr[data-call-id]")?.querySelector("a").click();
});
listen({ table, help: at("#help"), search: at("#search"), close: () => {} });

const handlers = {
  snapshot(rows) {
    calls.replace(rows, clock());
    table.refresh();
  },
  events(events) {
    for (const event of events) calls.apply(event, clock());
    table.schedule();
  },
  fleet: (view) => status.fleet(view),
  link: (connected) => status.link(connected),
};

try {
  const { io } = await import("../vendor/socket.io.esm.min.js");
  const socket = io({
    transports: ["websocket"],
    autoConnect: false,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    timeout: 10_000,
  });
  new Link(socket, handlers);
} catch {
  status.fail("This page is not complete: run set-up on the server, with npm installed, and reload.");
}
