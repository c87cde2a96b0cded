// The page's link to the server: follows the feed by cursor, so that nothing is missed across any interruption.
//
// The server sends the whole table in parts {part, of, rows, cursor, away}, then batches {from, cursor, events}: all events
// after `from`, up to and with `cursor`. A batch is applied if our own cursor lies at or after its `from`; otherwise
// something was missed, and `follow` asks for it by our cursor. Events are idempotent, so a batch that overlaps what we
// have does no harm. A cursor names an event: its id in the feed, and after a dot or plus what tells it from another
// event to which the server gave the same id after a loss of data.

/** Least time between two requests for the same events. */
const AGAIN_MS = 5_000;
const RETRY_MS = 1_000;

/** Whether all that was told up to cursor `b` was told up to `a` too: in every shard's part, joined by ",". */
export function reaches(a, b) {
  if (a === b) return true;
  const [ours, theirs] = [a.split(","), b.split(",")];
  return ours.length === theirs.length && ours.every((part, n) => part === theirs[n] || compareIds(part, theirs[n]) >= 0);
}

/** Orders two parts by their feed ids ("ms-n", decimal): negative, 0 or positive; NaN if one is none. */
function compareIds(a, b) {
  const [aMs, aN] = a.split(/[.+]/)[0].split("-");
  const [bMs, bN] = b.split(/[.+]/)[0].split("-");
  return Number(aMs) - Number(bMs) || Number(aN) - Number(bN);
}

export class Link {
  #socket;
  #on;
  #cursor = null;
  #rows = []; // of the parts of a snapshot that have come so far
  #askedMs = 0;

  /**
   * @param socket a Socket.IO client socket (made with autoConnect: false)
   * @param on what to tell: snapshot(rows, away), events(list), fleet(view), heard(), link(connected), refused()
   */
  constructor(socket, on) {
    this.#socket = socket;
    this.#on = on;
    socket.on("connect", () => {
      on.link(true);
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

/** Not all pages at the same moment. */
function connectSoon(socket) {
  setTimeout(() => socket.connect(), RETRY_MS * (0.5 + Math.random()));
}
