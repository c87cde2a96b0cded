/* A model of the protocol of state/server/lua: one track of three chunks, its sender, two decoders, those who move tokens, and
   disasters. spin looks at every order in which their steps can come; scripts/model runs it.

   An atomic block is one script or command on the server, or one step inside a process. The inlines ingest, end, open,
   commit, release, move, bury and register do what state/server/lua/<name>.lua does: keep them alike. A request may be lost, or
   only its answer; a process may die between any two steps; a heart may stop although its decoder lives; the server may
   become again what it was at an earlier moment (`copy`), and all this as often as it likes.

   J1 to J7 are those of docs/GUARANTEES.md: J1 to J4 and J7 are asserted after every script, J5 in each commit, J6 at
   rest. What a recogniser hears is in it, too: who commits must have heard the open utterance as it stands, and no more.

   The real server never gives a name (of tokens, leases, decoders) twice. Here a name is given again as soon as nobody
   knows it, which nobody can tell, and there are finitely many states.

   Compiled with -DFAULT_..., the protocol has one mistake, and spin must find what comes of it. */

#define CHUNKS 3
#define TOKENS 7
#define LEASES 9
#define NAMES 4
#ifndef DISASTERS
#define DISASTERS 3
#endif
#ifndef FORGETS
#define FORGETS 4 /* scripts at most that a server forgets */
#endif

#define SHARED 5 /* s.at: the token stands in `work`; 1 to NAMES: in `work:<name>` */
#define NOBODY 9 /* s.at: it stands in `work`, was read, and is pending with nobody */
#define PLAIN 1  /* what a chunk holds: speech that goes on, */
#define ENDS 2   /* or speech with which an utterance ends */

typedef Store {
  /* the track's hash; chunks are numbered from 1; of tokens, leases and decoders, 0 is none */
  byte last_seq, done_seq, open_seq = 1;
  bool closed, finished;
  byte token, lease, committed, owner;
  byte journal[4];                /* chunk -> what it holds, 0: it is not there */
  byte final[4];                  /* chunk -> in how many finals it stands */
  byte entry, at, pending;        /* the one entry of the work streams, its stream, and whom it was delivered to */
  bool known[5], beats[5];        /* decoder -> it is in `workers` and has a stream; it has a heartbeat */
#ifdef FAULT_LEASES_COUNTED
  byte leases;
#endif
}

typedef Decoder {
  byte phase, name;
  byte token;                     /* read, and not opened yet */
  byte lease;
  byte base_seq, open_seq, last_seq; /* what `open` answered; the lease is known until its commit is settled */
  bool closed, warm;
  byte warm_at;                   /* of the recogniser that is kept warm, 0: there is none */
  byte from, heard;               /* the recogniser heard these chunks of the open utterance, from..heard */
  byte audio[4];                  /* chunk -> what it heard there */
  byte done_seq, new_open_seq;    /* what it will commit */
  bool finish;
}

#define DEAD 0
#define IDLE 1
#define HELD 2      /* has read a token */
#define LEASED 3
#define UNSETTLED 4 /* has decoded, and no answer to its commit yet */
#define LOST 5      /* its connection broke */

Store s;
Store copy;       /* what the server was, if `saved`: it may become so again */
bool saved;
byte age;                   /* scripts since then */
byte more = DISASTERS; /* so many disasters may still come */
Decoder d[2];

byte to_send = 1; /* the sender's next chunk; CHUNKS + 1: the end */
byte holds = PLAIN; /* what that chunk holds */
byte answered;    /* last chunk answered OK and not forgotten by the server since */
bool ended;       /* the sender has looked once more and is done */

byte moving;      /* a token that somebody has seen and will move, 0: nobody */
bool force;

/* these are 0 between two steps */
hidden byte i, fresh;
hidden byte applied, again;
byte upto;

/* -- names ------------------------------------------------------------------------------------------------ */

#define TOKEN_KNOWN(x) (s.entry == x || s.token == x || moving == x || d[0].token == x || d[1].token == x \
  || (saved && (copy.entry == x || copy.token == x)))
#define LEASE_KNOWN(x) (s.lease == x || s.committed == x || d[0].lease == x || d[1].lease == x \
  || d[0].warm_at == x || d[1].warm_at == x || (saved && (copy.lease == x || copy.committed == x)))
#define NAME_KNOWN(x) (s.known[x] || s.beats[x] || s.owner == x || d[0].name == x || d[1].name == x \
  || (saved && (copy.known[x] || copy.beats[x] || copy.owner == x)))
#define NAME_FREE (!NAME_KNOWN(1) || !NAME_KNOWN(2) || !NAME_KNOWN(3) || !NAME_KNOWN(4))
#define RUNS(x) (d[0].name == x || d[1].name == x)

inline fresh_token() {
  fresh = 1;
  do
  :: fresh <= TOKENS && TOKEN_KNOWN(fresh) -> fresh++
  :: else -> break
  od;
  assert(fresh <= TOKENS)
}

inline fresh_lease() {
#ifdef FAULT_LEASES_COUNTED
  s.leases++;
  fresh = s.leases
#else
  fresh = 1;
  do
  :: fresh <= LEASES && LEASE_KNOWN(fresh) -> fresh++
  :: else -> break
  od;
  assert(fresh <= LEASES)
#endif
}

inline fresh_name() {
  fresh = 1;
  do
  :: NAME_KNOWN(fresh) -> fresh++
  :: else -> break
  od
}

inline assign(to, was) {
  to.last_seq = was.last_seq; to.done_seq = was.done_seq; to.open_seq = was.open_seq; to.closed = was.closed; to.finished = was.finished;
  to.token = was.token; to.lease = was.lease; to.committed = was.committed; to.owner = was.owner;
  to.entry = was.entry; to.at = was.at; to.pending = was.pending;
  i = 1;
  do
  :: i <= CHUNKS -> to.journal[i] = was.journal[i]; to.final[i] = was.final[i]; i++
  :: else -> break
  od;
  i = 1;
  do
  :: i <= NAMES -> to.known[i] = was.known[i]; to.beats[i] = was.beats[i]; i++
  :: else -> break
  od;
  i = 0;
#ifdef FAULT_LEASES_COUNTED
  to.leases = was.leases
#endif
}

Store nothing;

/* -- what must hold between any two commands -------------------------------------------------------------- */

inline sound() {
  assert((s.last_seq > s.done_seq || (s.closed && !s.finished)) == (s.token != 0)); /* J1 */
  assert(!s.lease || s.token);                                              /* J1 */
  assert(s.entry == s.token);                                               /* J2: it is the only one, see issue */
  assert(!s.entry || s.at == SHARED || (s.at != NOBODY && s.known[s.at]));                    /* J2: its stream has a reader or a burial */
  assert(!s.pending || s.known[s.pending]);                               /* J2: and so has its delivery */
  assert(s.open_seq <= s.done_seq + 1 && s.done_seq <= s.last_seq);
  i = 1;
  do
  :: i <= CHUNKS ->
    assert((s.journal[i] != 0) == (s.open_seq <= i && i <= s.last_seq)); /* J3 */
    assert(s.final[i] == (i < s.open_seq));                          /* J4: once, in order, without a hole */
    assert(i > answered || i < s.open_seq || s.journal[i]);          /* J7 */
    i++
  :: else -> break
  od;
  i = 0;
  fresh = 0;
  if
  :: saved && age == FORGETS -> assign(copy, nothing); saved = false; age = 0 /* by now it is on disk */
  :: saved && age < FORGETS -> age++
  :: else
  fi
}

/* -- the scripts of state/server/lua ----------------------------------------------------------------------------- */

inline drop(which) {
  if
  :: s.entry == which -> s.entry = 0; s.at = 0; s.pending = 0
  :: else
  fi
}

inline issue(to_everybody) {
  assert(!s.entry); /* J2: there is no other */
  fresh_token();
  if
#ifdef FAULT_TOKEN_FOR_THE_DEAD
  :: !to_everybody && s.owner -> s.at = s.owner
#else
  :: !to_everybody && s.owner && s.beats[s.owner] -> s.at = s.owner
#endif
  :: else -> s.at = SHARED
  fi;
  s.entry = fresh;
  s.token = fresh
}

inline ingest() {
  if
  :: to_send <= s.last_seq || s.closed -> assert(!s.journal[to_send] || s.journal[to_send] == holds) /* DUP, CLOSED */
  :: else -> /* OK */
    s.journal[to_send] = holds;
    s.last_seq = to_send;
    if
#ifndef FAULT_A_TOKEN_FOR_EVERY_CHUNK
    :: s.token || s.lease
#endif
    :: else -> issue(false)
    fi
  fi
}

inline end() {
  s.closed = true;
#ifndef FAULT_END_WITHOUT_A_TOKEN
  if
  :: !s.token && !s.lease -> issue(false)
  :: else
  fi
#endif
}

inline open(w) {
  if
#ifndef FAULT_ANY_TOKEN_OPENS
  :: s.token != w.token -> /* STALE */
    drop(w.token);
    forget_recogniser(w);
    w.phase = IDLE
#endif
  :: else ->
    fresh_lease();
    s.lease = fresh;
    s.owner = w.name;
    w.lease = fresh;
    w.base_seq = s.done_seq;
    w.open_seq = s.open_seq;
    w.last_seq = s.last_seq;
    w.closed = s.closed;
#ifdef FAULT_WARM_BY_DONE
    w.warm = w.warm_at && w.heard == s.done_seq;
#else
    w.warm = w.warm_at && w.warm_at == s.committed;
#endif
    w.warm_at = 0;
    w.phase = LEASED
  fi;
  w.token = 0
}

inline commit(w, to_everybody) {
  again = s.committed == w.lease;
#ifdef FAULT_LEASE_NOT_COMPARED
  applied = !again && s.done_seq == w.base_seq;
#else
#ifdef FAULT_DONE_NOT_COMPARED
  applied = !again && s.lease == w.lease;
#else
  applied = !again && s.lease == w.lease && s.done_seq == w.base_seq;
#endif
#endif
  if
  :: applied ->
    assert(s.lease == w.lease && s.done_seq == w.base_seq); /* J5 */
    assert(w.from == s.open_seq && w.heard == w.done_seq);
    i = 1;
    do
    :: i <= CHUNKS ->
      if
      :: s.open_seq <= i && i <= w.done_seq -> assert(w.audio[i] == s.journal[i])
      :: else
      fi;
      if
      :: s.open_seq <= i && i < w.new_open_seq -> s.final[i] = s.final[i] + 1
      :: else
      fi;
      if
#ifdef FAULT_TRIMMED_TO_DONE
      :: i <= w.done_seq -> s.journal[i] = 0
#else
      :: i < w.new_open_seq -> s.journal[i] = 0
#endif
      :: else
      fi;
      i++
    :: else -> break
    od;
    drop(s.token);
    s.done_seq = w.done_seq;
    s.open_seq = w.new_open_seq;
    s.committed = w.lease;
    s.lease = 0;
    s.token = 0;
    if
    :: w.finish -> s.finished = true
#ifdef FAULT_NO_TOKEN_FOR_WHAT_CAME_MEANWHILE
    :: !w.finish && w.last_seq > s.done_seq -> issue(to_everybody)
#else
    :: !w.finish && (s.last_seq > s.done_seq || s.closed) -> issue(to_everybody)
#endif
    :: else
    fi
  :: else /* AGAIN, STALE */
  fi
}

inline release(w) {
  if
  :: s.lease == w.lease ->
    drop(s.token);
    s.lease = 0;
    issue(true)
  :: else /* STALE */
  fi
}

inline move() {
  if
  :: s.token != moving -> drop(moving)       /* STALE */
  :: s.token == moving && s.lease && !force  /* LEASED */
  :: else ->
    drop(moving);
    s.lease = 0;
    issue(true)
  fi;
  moving = 0;
  force = false
}

inline bury(who) {
  if
  :: s.beats[who] /* ALIVE */
#ifndef FAULT_BURIED_WITH_WHAT_IT_HOLDS
  :: !s.beats[who] && s.entry && (s.at == who || s.pending == who) /* HOLDS */
#endif
  :: else -> /* its stream goes, and its place in the group with all that is pending */
    if
    :: s.at == who -> s.entry = 0; s.at = 0; s.pending = 0
    :: s.at != who && s.pending == who -> s.pending = 0; s.at = NOBODY /* read, and pending with nobody */
    :: else
    fi;
    s.known[who] = false
  fi
}

inline register(who) {
  s.known[who] = true;
  s.beats[who] = true
}

/* -- decoders: workers/decoder/loop.py, track.py ---------------------------------------------------------- */

inline forget_recogniser(w) {
  w.warm_at = 0; w.from = 0; w.heard = 0;
  w.audio[1] = 0; w.audio[2] = 0; w.audio[3] = 0
}

inline forget_lease(w) {
  w.lease = 0; w.base_seq = 0; w.open_seq = 0; w.last_seq = 0; w.closed = false; w.warm = false;
  w.done_seq = 0; w.new_open_seq = 0; w.finish = false
}

#ifdef FAULT_READS_BEYOND_ITS_LEASE
#define READ_UPTO CHUNKS
#else
#define READ_UPTO w.last_seq
#endif

/* Reads the journal, beside `open` and so a moment later, and decodes up to some chunk or to what there is. */
inline decode(w) {
  if
  :: !w.warm ->
    forget_recogniser(w);
    w.from = w.open_seq;
    w.heard = w.open_seq - 1
  :: else
  fi;
  w.new_open_seq = w.open_seq;
  do
  :: w.heard < READ_UPTO && (w.heard < upto || w.heard < w.base_seq) && s.journal[w.heard + 1] ->
    w.heard = w.heard + 1;
    w.audio[w.heard] = s.journal[w.heard];
    if
    :: w.heard > w.base_seq && w.audio[w.heard] == ENDS -> w.new_open_seq = w.heard + 1
    :: else
    fi
  :: else -> break
  od;
  w.done_seq = w.heard;
  w.finish = w.closed && w.done_seq == w.last_seq;
  if
  :: w.finish -> w.new_open_seq = w.done_seq + 1
  :: else
  fi;
  if
  :: w.done_seq < w.base_seq || (w.done_seq == w.base_seq && !w.finish) -> /* the journal is not as `open` said, or nothing done */
    forget_lease(w);
    forget_recogniser(w);
    w.phase = IDLE
  :: else -> w.phase = UNSETTLED
  fi
}

/* What becomes of the recogniser when the commit is answered. */
inline settle(w) {
  if
  :: (applied || again) && !w.finish ->
    w.warm_at = w.lease;
    w.from = w.new_open_seq;
    i = 1;
    do
    :: i < w.new_open_seq -> w.audio[i] = 0; i++
    :: else -> break
    od;
    i = 0
  :: else -> forget_recogniser(w)
  fi;
  forget_lease(w);
  w.phase = (w.token -> HELD : IDLE);
  applied = false;
  again = false
}

/* An error ends the turn. What is decoded and not settled is kept; what was read is read again. */
inline lose(w) {
  if
  :: w.phase == LEASED -> forget_lease(w); forget_recogniser(w)
  :: else
  fi;
  w.token = 0;
  w.phase = LOST;
  applied = false;
  again = false
}

#define ME d[_pid]
#define FOR_ME (s.entry && !s.pending && (s.at == SHARED || s.at == ME.name))

active [2] proctype decoder() {
  do
  :: atomic { ME.phase == DEAD && NAME_FREE -> d_step { fresh_name(); ME.name = fresh; register(ME.name); ME.phase = IDLE; fresh = 0 } }
  :: atomic { ME.phase != DEAD && !s.beats[ME.name] -> d_step { register(ME.name); sound() } }
  :: atomic { ME.phase == IDLE && s.known[ME.name] && FOR_ME ->
      s.pending = ME.name;
      if
      :: ME.token = s.entry; ME.phase = HELD
      :: more -> d_step { more--; lose(ME) }
      fi
    }
  :: atomic { ME.phase == HELD ->
      if
      :: d_step { true -> open(ME); sound() }
      :: d_step { more -> more--; open(ME); sound(); forget_recogniser(ME); lose(ME) }
      :: d_step { more -> more--; forget_recogniser(ME); lose(ME) }
      fi
    }
  :: atomic { ME.phase == LEASED ->
      if
      :: upto = ME.base_seq + 1
      :: upto = CHUNKS
      fi;
      d_step { decode(ME); upto = 0 }
    }
  :: atomic { ME.phase == LEASED && more -> d_step { more--;  release(ME); sound(); forget_lease(ME); forget_recogniser(ME); ME.phase = IDLE } }
  :: atomic { ME.phase == UNSETTLED ->
      if
      :: d_step { true -> commit(ME, false); sound(); settle(ME) }
      :: d_step { more -> more--; commit(ME, true); sound(); settle(ME) } /* it shuts down */
      :: d_step { more -> more--; commit(ME, false); sound(); lose(ME) }
      :: d_step { more -> more--; lose(ME) }
      fi
    }
  :: atomic { ME.phase == LOST -> /* it joins again: what it was given comes first, and what it owes before that */
      d_step {
        register(ME.name);
        ME.token = (s.pending == ME.name -> s.entry : 0);
        ME.phase = (ME.lease -> UNSETTLED : (ME.token -> HELD : IDLE))
      }
    }
  :: atomic { ME.phase != DEAD && more -> /* kill -9 */
      d_step { more--; forget_lease(ME); forget_recogniser(ME); ME.token = 0; ME.name = 0; ME.phase = DEAD }
    }
  od
}

/* -- what decoders do for one another: state/calls/rescue.py. They see a token, and move it a moment later. ------- */

#define HAS(w) (w.name == s.pending && (w.token || w.lease || w.phase == LOST))
#define FORGOTTEN (!HAS(d[0]) && !HAS(d[1]))
#define STOPPED(x) (s.known[x] && !s.beats[x])

active proctype rescue() {
  do
  :: atomic { !moving && s.entry && s.at != SHARED && s.at <= NAMES && !s.beats[s.at] -> moving = s.entry; force = true }
  :: atomic { !moving && s.pending && !s.beats[s.pending] -> moving = s.entry; force = true }
  :: atomic { !moving && s.pending && FORGOTTEN -> moving = s.entry; force = true } /* pending for too long */
  :: atomic { !moving && s.pending && !FORGOTTEN && more -> more--; moving = s.entry; force = true } /* a slow holder */
  :: atomic { !moving && s.entry && s.at != SHARED && s.at <= NAMES -> moving = s.entry; force = false } /* relieve */
  :: atomic { moving -> d_step { move(); sound() } }
  :: atomic { STOPPED(1) -> d_step { bury(1); sound() } }
  :: atomic { STOPPED(2) -> d_step { bury(2); sound() } }
  :: atomic { STOPPED(3) -> d_step { bury(3); sound() } }
  :: atomic { STOPPED(4) -> d_step { bury(4); sound() } }
  od
}

/* -- the sender: docs/GUARANTEES.md, "What a sender must do" ------------------------------------------------ */

#define FIRST_TIME(x) (x == 2 -> ENDS : PLAIN) /* two chunks are an utterance, the third begins another */

/* The server lacks chunk s.last_seq + 1. The sender may have kept it, or not, and cut anew what comes now. */
inline go_back() {
  to_send = s.last_seq + 1;
  if
  :: holds = PLAIN
  :: holds = ENDS
  fi
}

active proctype sender() {
  do
  :: atomic { to_send <= CHUNKS && to_send > s.last_seq + 1 -> go_back() } /* 409 with expected_seq */
  :: atomic { to_send <= CHUNKS && to_send <= s.last_seq + 1 ->
      d_step { ingest(); sound() };
      if
      :: d_step { answered = (to_send > answered -> to_send : answered); to_send++; holds = FIRST_TIME(to_send) }
      :: more -> more-- /* the answer is lost: it will repeat */
      fi
    }
  :: atomic { to_send > CHUNKS && !s.closed ->
      if
#ifndef FAULT_END_WITHOUT_ITS_LAST_NUMBER
      :: s.last_seq < CHUNKS -> go_back() /* SHORT */
#endif
      :: else -> d_step { end(); sound() }
      fi
    }
  :: atomic { to_send > CHUNKS && s.closed && !saved && !ended -> ended = true } /* what is so old is not forgotten */
  od
}

/* -- disasters -------------------------------------------------------------------------------------------- */

inline stop(x) { /* of the dead, in time by itself */
  if
  :: RUNS(x) -> more--
  :: else
  fi;
  s.beats[x] = false
}

#define STOPS(x) (s.beats[x] && (more || !RUNS(x)))

active proctype disasters() {
  do
  :: atomic { more && !saved -> d_step { more--;  assign(copy, s); saved = true } }
  :: atomic { saved -> d_step { assign(s, copy); answered = (answered > s.last_seq -> s.last_seq : answered); assign(copy, nothing); saved = false; age = 0; sound() } }
  :: atomic { saved -> d_step { assign(copy, nothing); saved = false; age = 0 } }
  :: atomic { STOPS(1) -> d_step { stop(1) } }
  :: atomic { STOPS(2) -> d_step { stop(2) } }
  :: atomic { STOPS(3) -> d_step { stop(3) } }
  :: atomic { STOPS(4) -> d_step { stop(4) } }
  :: atomic { more -> more = 0 }
  od
}

/* -- at rest: nobody has anything to do any more ------------------------------------------------------------ */

active proctype rest() {
  timeout;
  assert(ended && s.closed && s.finished && s.done_seq == CHUNKS && s.open_seq == CHUNKS + 1);
  assert(!s.token && !s.entry && !s.lease && !moving) /* J6 */
}
