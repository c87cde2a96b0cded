// The page's link to the server: follows the feed by cursor, so that nothing is missed across any interruption.
//
// The server sends batches {from, cursor, events}: all events after `from`, up to and with `cursor`. A batch is
// applied if our own cursor lies at or after its `from`; otherwise something was missed, and `follow` asks for
// it by our cursor. Events are idempotent, so a batch that overlaps what we have does no harm.

const FOLLOW_TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;

/** Orders two feed ids ("ms-n", decimal). Negative: a before b; 0: the same; positive: a after b. */
export function compareIds(a, b) {
  const [aMs, aN] = a.split("-");
  const [bMs, bN] = b.split("-");
  return Number(aMs) - Number(bMs) || Number(aN ?? 0) - Number(bN ?? 0);
}

export class Link {
  #socket;
  #on;
  #cursor = null;
  #following = 0; // the follow that is under way, by number; 0: none
  #follows = 0;
  #waiting = []; // batches that came while a follow is under way

  /**
   * @param socket a Socket.IO client socket (made with autoConnect: false)
   * @param on what to tell: snapshot(rows), events(list), fleet(view), link(connected), refused()
   */
  constructor(socket, on) {
    this.#socket = socket;
    this.#on = on;
    socket.on("connect", () => {
      on.link(true);
      this.#follow();
    });
    socket.on("disconnect", (reason) => {
      this.#following = 0;
      this.#waiting = [];
      on.link(false);
      // Socket.IO reconnects by itself except when the server closed the link on purpose.
      if (reason === "io server disconnect") setTimeout(() => socket.connect(), RETRY_MS);
    });
    socket.on("connect_error", () => {
      on.link(false);
      on.refused();
      if (!socket.active) setTimeout(() => socket.connect(), RETRY_MS);
    });
    socket.on("feed", (batch) => this.#receive(batch));
    socket.on("fleet", (view) => on.fleet(view));
    socket.connect();
  }

  /** The id of the last event that the table holds; null before the first snapshot. */
  get cursor() {
    return this.#cursor;
  }

  #follow() {
    const number = ++this.#follows;
    this.#following = number;
    this.#socket.timeout(FOLLOW_TIMEOUT_MS).emit("follow", { cursor: this.#cursor }, (error, answer) => {
      if (this.#following !== number) return; // the link broke in between; a newer follow is under way
      if (error || !answer?.cursor) {
        setTimeout(() => {
          if (this.#following === number && this.#socket.connected) this.#follow();
        }, RETRY_MS);
        return;
      }
      this.#following = 0;
      if (answer.snapshot) {
        if (answer.snapshot.fleet) this.#on.fleet(answer.snapshot.fleet); // first: it sets the clock
        this.#on.snapshot(answer.snapshot.rows);
      } else {
        this.#on.events(answer.events);
      }
      this.#cursor = answer.cursor;
      for (const batch of this.#waiting.splice(0)) this.#receive(batch);
    });
  }

  #receive(batch) {
    if (this.#following) {
      this.#waiting.push(batch);
    } else if (compareIds(this.#cursor, batch.from) < 0) {
      this.#waiting.push(batch);
      this.#follow();
    } else if (compareIds(batch.cursor, this.#cursor) > 0) {
      this.#on.events(batch.events);
      this.#cursor = batch.cursor;
    }
  }
}
