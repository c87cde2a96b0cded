// The page's link to the server. It follows the feed by cursor, so no interruption loses an event.
//
// The server sends the whole table in parts {part, of, rows, cursor, away}, then batches {from, cursor, events}: all events
// after `from`, up to and with `cursor`. A batch applies if our own cursor is at or after its `from`. Otherwise events
// are missing, and `follow` asks for them by our cursor. Events are idempotent, so a batch that overlaps does no harm.
// A cursor names an event: its id in the feed and, after a dot or plus, a mark. After a loss of data the server may give
// an id to another event; the mark tells the two apart.

/** Least time between two requests for the same events. */
const AGAIN_MS = 5_000;
const RETRY_MS = 1_000;
/** Least time between two messages about what is in sight, and how much one may hold: the server takes no longer one. */
const SEES_MS = 2_500;
const SEES_CALLS = 100;
const SEES_CHARACTERS = 3_500;

/** Whether cursor `a` is at or after cursor `b` in every shard. A cursor has a part a shard, joined by ",". */
export function reaches(a, b) {
  if (a === b) return true;
  const [ours, theirs] = [a.split(","), b.split(",")];
  return ours.length === theirs.length && ours.every((part, n) => part === theirs[n] || compareIds(part, theirs[n]) >= 0);
}

/** Compares two parts by their feed ids ("ms-n", decimal): negative, 0 or positive; NaN if one is no id. */
function compareIds(a, b) {
  const [aMs, aN] = a.split(/[.+]/)[0].split("-");
  const [bMs, bN] = b.split(/[.+]/)[0].split("-");
  return Number(aMs) - Number(bMs) || Number(aN) - Number(bN);
}

export class Link {
  #socket;
  #on;
  #cursor = null;
  #rows = []; // of the snapshot's parts so far
  #askedMs = 0;
  /** @type {?string} as last told */
  #sees = null;
  #toldMs = 0;

  /**
   * @param socket a Socket.IO client socket (made with autoConnect: false)
   * @param on callbacks: snapshot(rows, away), events(list), fleet(view), heard(), link(connected), refused()
   */
  constructor(socket, on) {
    this.#socket = socket;
    this.#on = on;
    socket.on("connect", () => {
      on.link(true);
      this.#sees = null;
      this.#follow();
    });
    socket.on("disconnect", (reason) => {
      on.link(false);
      // Socket.IO reconnects by itself except when the server closed the link on purpose.
      if (reason === "io server disconnect") connectSoon(socket);
    });
    socket.on("connect_error", () => {
      on.link(false);
      on.refused();
      if (!socket.active) connectSoon(socket);
    });
    socket.on("snapshot", (part) => this.#collect(part));
    socket.on("feed", (batch) => this.#receive(batch));
    socket.on("fleet", (view) => on.fleet(view));
    socket.connect();
  }

  /** Names the last event that the table holds; null before the first snapshot. */
  get cursor() {
    return this.#cursor;
  }

  /** Tells which calls are in sight or open: the server has words of open utterances made for these. */
  sees(ids) {
    const calls = [];
    let left = SEES_CHARACTERS;
    for (const id of ids) {
      left -= id.length + 3;
      if (left > 0 && calls.length < SEES_CALLS) calls.push(id);
    }
    const told = calls.toSorted().join();
    if (told === this.#sees || Date.now() - this.#toldMs < SEES_MS || !this.#socket.connected) return;
    [this.#sees, this.#toldMs] = [told, Date.now()];
    this.#socket.emit("sees", { calls });
  }

  #follow() {
    this.#askedMs = Date.now();
    this.#socket.emit("follow", { cursor: this.#cursor });
  }

  #collect({ part, of, rows, cursor, away = [] }) {
    this.#on.heard();
    if (part === 1) this.#rows = [];
    this.#rows.push(...rows);
    if (part < of) return;
    this.#on.snapshot(this.#rows, away);
    this.#rows = [];
    this.#cursor = cursor;
    this.#askedMs = 0;
  }

  #receive({ from, cursor, events }) {
    this.#on.heard();
    if (this.#cursor === null || !reaches(this.#cursor, from)) {
      if (Date.now() - this.#askedMs > AGAIN_MS) this.#follow();
    } else if (!reaches(this.#cursor, cursor)) {
      this.#on.events(events);
      this.#cursor = cursor;
      this.#askedMs = 0;
    }
  }
}

/** Spreads the pages, so that they do not all ask at the same moment. */
function connectSoon(socket) {
  setTimeout(() => socket.connect(), RETRY_MS * (0.5 + Math.random()));
}
