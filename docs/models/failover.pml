/*
 * Roles, epochs, leases, heartbeats and fencing of a pair of gateways (docs/HIGH-AVAILABILITY.md).
 * `make model` explores it completely, within the numbers of faults below. Its names are those of
 * src/replication.
 *
 * What must hold:
 *   one_per_epoch   no two gateways ever accept in one epoch
 *   one_at_a_time   under on_peer_loss: step_down no two gateways accept at once
 *   kept            what the standby confirmed is in the history of whoever is promoted
 *   one_again       once faults stop and both nodes are up: one serves, the other is its standby in
 *                   sync, within CALM_TICKS ticks
 *
 * Time is a tick that both clocks see (bounded drift); a heartbeat leaves at every tick. A message
 * waits in its slot as long as it likes, or is lost; an offer to take over leaves at any time, also more
 * than once per tick. A step is atomic: a check and what it allows.
 */

#ifndef STEP_DOWN
#define STEP_DOWN 0     /* on_peer_loss: step_down, else continue */
#endif
#ifndef DISK_JOURNAL
#define DISK_JOURNAL 1  /* a crash keeps the history (journal.path), else it empties it */
#endif
#ifndef SERVES_EMPTY
#define SERVES_EMPTY 0  /* 1: what a node gives up that was emptied by a crash and serves alone is conceded */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef PAUSES
#define PAUSES 1        /* SIGSTOP, any number of ticks */
#endif
#ifndef SWITCHES
#define SWITCHES 0      /* planned */
#endif
#ifndef STOPS
#define STOPS 0         /* graceful: a last heartbeat says goodbye, then the process ends */
#endif
#ifndef LOSSES
#define LOSSES 0        /* node 1, configured as backup, dies and comes back with an empty disk */
#endif
#ifndef ROLE_LOSSES
#define ROLE_LOSSES 0   /* a node dies and comes back without its role file, but with its journal (DISK_JOURNAL) */
#endif
#ifndef FAILS
#define FAILS 0         /* how often a role file begins to be one that cannot be written */
#endif
#ifndef OPERATORS
#define OPERATORS 0     /* solo, said while the peer is down and not solo itself */
#endif
#ifndef ENTRIES
#define ENTRIES 1       /* accepted by anybody, in all */
#endif
#ifndef CUTS
#define CUTS 3          /* how often messages begin to be lost or late, and for how many ticks, in all */
#endif
#define LEASE 1         /* ticks after its sending that an answered heartbeat lets a primary serve */
#define TIMEOUT 2       /* ticks of silence after which a peer is taken for dead */
#define CALM_TICKS 10
#define MAX_EPOCH 9

#define STARTING 0
#define BACKUP 1
#define PRIMARY 2

/* What becomes of a write to the role file: done; failed, and nothing has changed; failed, and a start finds it. */
#define WRITABLE 0
#define UNWRITABLE 1
#define UNSYNCED 2

/* A heartbeat, a question (a heartbeat of one that is no primary), or the answer to either. */
typedef Heartbeat {
  bit under_way; bit was_primary; bit handing_over; bit in_sync; bit recovered; bit leaving;
  byte role; byte epoch; byte position; byte boot; byte in_sync_boot; byte age
};
typedef Shipment { bit under_way; byte boot; byte epoch; byte position; byte history };
typedef Confirmation { bit under_way; byte boot; byte epoch; byte history };

typedef Node {
  bit up; bit paused; bit due; bit late;
  byte role;
  bit in_sync;        /* as a standby: told so by its primary */
  bit handing_over; bit recovered;
  byte peer_boot;     /* highest seen of the peer, 0 before the first */
  byte caught_up;     /* boot id of the standby that has caught up, 0 for none */
  byte told;          /* highest boot id of a standby that was told that it is in sync */
  bit knows;          /* the standby that has caught up has answered that it may take over */
  byte departed;      /* boot id of the standby that said goodbye, 0 for none */
  byte lease_age; byte silence;
  bit was_primary; bit solo; byte epoch;
  byte seen;          /* highest epoch that the role file knew when the process began */
  /* on disk */
  byte disk;          /* whether the role file can be written */
  bit file_primary; bit file_solo; byte file_epoch;
  byte log_epoch;     /* of the last entry of the journal */
  byte boot; byte position; byte history
};

Node node[2];
Heartbeat heartbeat[2];       /* on its way to node i */
Heartbeat answer[2];
Shipment shipment[2];
Confirmation confirmation[2];

byte confirmed;               /* entries that a standby confirmed to a primary that was not degraded */
byte owner[MAX_EPOCH];        /* 1 + who accepted in an epoch */
byte entries; byte losses; byte role_losses; byte fails; byte crashes; byte pauses; byte switches; byte operators; byte stops; byte cuts;
bit cut;                      /* messages may be lost or late now */
bit calm; byte calm_ticks;
byte me; byte peer; byte k;   /* of the step under way */
bit strictly_higher; bit outranked; bit new_boot; bit failed; byte next;

#define accepting(i) (node[i].up && !node[i].paused && node[i].role == PRIMARY && \
  !node[i].handing_over && (node[i].solo || node[i].lease_age < LEASE))
#define quiet(i) (!heartbeat[i].under_way && !answer[i].under_way && !shipment[i].under_way && !confirmation[i].under_way)
#define waiting(i) (node[i].up && !node[i].paused && node[i].due)
#define healthy(i) (accepting(i) && node[1 - i].role == BACKUP && node[1 - i].in_sync && \
  node[1 - i].epoch == node[i].epoch && node[1 - i].history == node[i].history && paired(i))
/* What a primary says: its backup has caught up, and has answered that it may take over. */
#define paired(i) (!node[i].solo && node[i].caught_up != 0 && node[i].knows)

/* Every epoch belongs to one node: odd ones to node 0, even ones to node 1. */
#define own_epoch(i) (node[i].epoch > 0 && node[i].epoch % 2 == 1 - i)

inline watch() {
  k = 0;
  do
  :: k < 2 ->
    if
    :: accepting(k) ->
      assert(owner[node[k].epoch] == 0 || owner[node[k].epoch] == k + 1);  /* one_per_epoch */
      owner[node[k].epoch] = k + 1
    :: else
    fi;
    k++
  :: else -> break
  od;
  assert(!STEP_DOWN || !(accepting(0) && accepting(1)));                    /* one_at_a_time */
  k = 0; peer = 0; strictly_higher = 0; outranked = 0; new_boot = 0; failed = 0; next = 0; me = 0
}

/* Writes the role file. What fails ends the step, and nothing that waited for it has happened. */
inline save(primary, alone, era) {
  if
  :: node[me].disk != UNWRITABLE ->
    node[me].file_primary = primary; node[me].file_solo = alone; node[me].file_epoch = era
  :: else
  fi;
  failed = node[me].disk != WRITABLE;
  if
  :: !failed -> node[me].was_primary = primary; node[me].solo = alone
  :: else
  fi
}

/*
 * A start may find that this node is solo though it is not. Then it writes the file again before it says what lets
 * the other one serve.
 */
#define may_wake_solo(i) (node[i].file_solo && !node[i].solo)

inline settle() {
  if
  :: may_wake_solo(me) -> save(node[me].was_primary, 0, node[me].epoch)
  :: else
  fi
}

/* A new epoch. It begins solo: nobody else may promote until told that it is in sync. */
inline promote() {
  next = 1 + (node[me].epoch > node[me].seen -> node[me].epoch : node[me].seen);
  next = (next % 2 == 1 - me -> next : next + 1);
  assert(next < MAX_EPOCH);
  save(1, 1, next);
  if
  :: !failed ->
    assert((confirmed & node[me].history) == confirmed);                     /* kept */
    node[me].epoch = next; node[me].log_epoch = next;
    begin()
  :: else
  fi
}

inline serve() {
  save(1, 1, node[me].epoch);
  if
  :: !failed -> begin()
  :: else
  fi
}

inline begin() {
  if
  :: node[me].role != PRIMARY || node[me].handing_over ->
    node[me].lease_age = TIMEOUT;
    forget(answer[me])                    /* what was asked in another role is void */
  :: else
  fi;
  node[me].role = PRIMARY; node[me].in_sync = 0; node[me].handing_over = 0; node[me].caught_up = 0; node[me].knows = 0;
  node[me].silence = 0
}

/* A node that was primary goes on in its own epoch; any other opens a new one. */
inline lead() {
  if
  :: node[me].role == STARTING && node[me].was_primary && own_epoch(me) ->
    if
    :: SERVES_EMPTY && !node[me].recovered -> confirmed = confirmed & node[me].history
    :: else
    fi;
    serve()
  :: else -> promote()
  fi
}

/*
 * Becomes, or stays, a backup of the peer that outranks it; on disk before it shows, and also where that cannot be:
 * to serve on would not be safe.
 */
inline join() {
  save(0, 0, node[me].epoch);
  failed = 0; node[me].was_primary = 0; node[me].solo = 0;
  node[me].role = BACKUP;
  node[me].in_sync = 0; node[me].handing_over = 0; node[me].caught_up = 0; node[me].knows = 0;
  node[me].silence = 0; node[me].lease_age = TIMEOUT;
  forget(answer[me])
}

/*
 * Only an answer lets a node lead: a heartbeat may be older than what made its sender in sync, an
 * answer is given by one that knows the asker's boot id.
 *
 * What any word from the peer, m, of a boot id not below the last seen, does to the role.
 */
inline meet(m) {
  new_boot = node[me].peer_boot != 0 && m.boot > node[me].peer_boot;
  node[me].peer_boot = m.boot;
  strictly_higher = m.epoch > node[me].epoch || (m.epoch == node[me].epoch && m.position > node[me].position);
  outranked = strictly_higher || (m.epoch == node[me].epoch && m.position == node[me].position &&
    (m.role == PRIMARY || m.was_primary > node[me].was_primary || (m.was_primary == node[me].was_primary && me == 1)));
  if
  :: node[me].role == STARTING ->
    node[me].silence = 0;
    if
    :: outranked -> join()
    :: else
    fi
  :: node[me].role == BACKUP && node[me].in_sync && new_boot ->
    if
    :: strictly_higher && (m.epoch > node[me].epoch || m.recovered) -> node[me].in_sync = 0
    :: else ->
      promote();
      if
      :: failed && node[me].disk == UNWRITABLE -> node[me].in_sync = 0; failed = 0  /* the other one serves */
      :: else
      fi
    fi
  :: node[me].role == PRIMARY && strictly_higher -> join()
  :: else
  fi
}

inline describe(m) {
  m.under_way = 1; m.role = node[me].role; m.was_primary = node[me].was_primary;
  m.epoch = node[me].epoch; m.position = node[me].position; m.boot = node[me].boot;
  m.recovered = node[me].recovered; m.in_sync = node[me].in_sync;
}

inline forget(m) {
  m.under_way = 0; m.role = 0; m.was_primary = 0; m.epoch = 0; m.position = 0; m.boot = 0;
  m.recovered = 0; m.in_sync = 0; m.handing_over = 0; m.in_sync_boot = 0; m.age = 0; m.leaving = 0
}

inline send_heartbeat() {
  describe(heartbeat[1 - me]);
  if
  :: node[me].handing_over -> answer[me].handing_over = 0  /* what it says is older than this offer */
  :: else
  fi;
  heartbeat[1 - me].age = 0;
  heartbeat[1 - me].leaving = 0;
  heartbeat[1 - me].handing_over = node[me].handing_over;
  heartbeat[1 - me].in_sync_boot = (node[me].solo || may_wake_solo(me) -> 0 : node[me].caught_up);
  node[me].told = (heartbeat[1 - me].in_sync_boot > node[me].told -> heartbeat[1 - me].in_sync_boot : node[me].told)
}

/* The last heartbeat of a process that stops. What it answered before may still be under way. */
inline say_goodbye() {
  send_heartbeat();
  heartbeat[1 - me].leaving = !may_wake_solo(me)
}

inline on_heartbeat() {
  if
  :: heartbeat[me].boot >= node[me].peer_boot ->
    settle();
    if
    :: !failed -> meet(heartbeat[me])
    :: else
    fi;
    if
    :: failed
    :: !failed && node[me].role == BACKUP && heartbeat[me].role == PRIMARY && heartbeat[me].epoch >= node[me].epoch ->
      node[me].silence = 0;
      forget(answer[me]);                 /* older than this */
      node[me].in_sync = heartbeat[me].in_sync_boot == node[me].boot && heartbeat[me].epoch == node[me].epoch;
      if
      :: node[me].in_sync && (heartbeat[me].handing_over || heartbeat[me].leaving) &&
         heartbeat[me].position == node[me].position ->
        promote();
        if
        :: failed && node[me].disk == UNWRITABLE -> failed = 0             /* declined, unless a start finds it taken */
        :: else
        fi
      :: else
      fi
    :: !failed && node[me].role == PRIMARY && heartbeat[me].leaving && heartbeat[me].role == BACKUP &&
       heartbeat[me].epoch == node[me].epoch ->
      node[me].departed = heartbeat[me].boot;
      if
      :: !node[me].solo -> serve()        /* it will not take over: nothing is to be waited for */
      :: else
      fi
    :: else
    fi;
    if
    :: !failed && node[1 - me].up && node[1 - me].boot == heartbeat[me].boot ->  /* a call dies with its process */
      describe(answer[1 - me]);
      answer[1 - me].age = heartbeat[me].age;
      answer[1 - me].handing_over = heartbeat[me].handing_over
    :: else
    fi
  :: else
  fi;
  forget(heartbeat[me])
}

inline on_answer() {
  if
  :: answer[me].boot >= node[me].peer_boot ->
    meet(answer[me]);
    if
    :: failed
    :: !failed && node[me].role != PRIMARY && !outranked && answer[me].role == BACKUP && !answer[me].in_sync -> lead()
    :: !failed && node[me].role == PRIMARY ->
      node[me].silence = 0;
      if
      :: answer[me].boot != node[me].caught_up -> node[me].caught_up = 0
      :: else
      fi;
      node[me].knows = node[me].caught_up != 0 && answer[me].in_sync;
      if
      :: answer[me].role == BACKUP && answer[me].epoch == node[me].epoch ->
        if
        :: answer[me].age < node[me].lease_age -> node[me].lease_age = answer[me].age
        :: else
        fi;
        if
        :: answer[me].handing_over && answer[me].boot > node[me].told -> serve()  /* it never could: offered to another */
        :: answer[me].handing_over && answer[me].boot <= node[me].told -> node[me].handing_over = 0  /* it cannot take over */
        :: else
        fi;
        if
        :: !failed && node[me].caught_up != 0 && node[me].solo -> save(1, 0, node[me].epoch)  /* before the standby is told */
        :: else
        fi
      /* Whoever was told is no more, and this one was not. */
      :: answer[me].role == BACKUP && answer[me].epoch != node[me].epoch && !answer[me].in_sync &&
         !node[me].solo && answer[me].boot > node[me].told -> serve()
      :: else
      fi
    :: else
    fi
  :: else
  fi;
  forget(answer[me])
}

/* A stream opening shows the boot id as a heartbeat does, before its snapshot is taken. */
inline on_shipment() {
  if
  :: node[me].role == BACKUP && shipment[me].boot == node[me].peer_boot &&
     (shipment[me].epoch > node[me].epoch ||
      (shipment[me].epoch == node[me].epoch && shipment[me].position >= node[me].position)) ->
    node[me].log_epoch = shipment[me].epoch; node[me].position = shipment[me].position;
    node[me].history = shipment[me].history;
    forget(answer[me]);
    if
    :: node[me].epoch != shipment[me].epoch || !node[me].in_sync -> save(0, 0, shipment[me].epoch)  /* a snapshot */
    :: else
    fi;
    if
    :: !failed ->
      node[me].epoch = shipment[me].epoch; node[me].recovered = 1;
      confirmation[1 - me].under_way = 1; confirmation[1 - me].boot = node[me].boot;
      confirmation[1 - me].epoch = node[me].epoch; confirmation[1 - me].history = node[me].history
    :: else
    fi
  :: else
  fi;
  shipment[me].under_way = 0; shipment[me].boot = 0; shipment[me].epoch = 0;
  shipment[me].position = 0; shipment[me].history = 0
}

inline on_confirmation() {
  if
  :: node[me].role == PRIMARY && confirmation[me].boot == node[me].peer_boot &&
     confirmation[me].boot != node[me].departed && confirmation[me].epoch == node[me].epoch ->
    if
    :: confirmation[me].history == node[me].history -> node[me].caught_up = confirmation[me].boot
    :: else
    fi;
    if
    /* Without a lease nobody is told. */
    :: node[me].caught_up != 0 && (!SERVES_EMPTY || node[me].lease_age < LEASE) -> confirmed = confirmed | confirmation[me].history
    :: else
    fi
  :: else
  fi;
  confirmation[me].under_way = 0; confirmation[me].boot = 0; confirmation[me].epoch = 0; confirmation[me].history = 0
}

inline ship() {
  shipment[1 - me].under_way = 1; shipment[1 - me].boot = node[me].boot; shipment[1 - me].epoch = node[me].epoch;
  shipment[1 - me].position = node[me].position; shipment[1 - me].history = node[me].history
}

inline on_tick() {
  node[me].due = 0;
  if
  :: node[me].late -> node[me].silence = 0; node[me].late = 0
  :: else
  fi;
  settle();
  if
  :: !failed && node[me].silence >= TIMEOUT ->
    if
    :: node[me].role == STARTING && (node[me].solo || (node[me].was_primary && !STEP_DOWN)) -> lead()
    :: node[me].role == BACKUP && node[me].in_sync -> promote()
    :: node[me].role == PRIMARY && !node[me].solo && !STEP_DOWN -> serve()
    :: else
    fi
  :: else
  fi;
  failed = 0;
  if
  :: node[me].role != BACKUP || node[me].silence >= TIMEOUT -> send_heartbeat()
  :: else
  fi;
  if
  :: node[me].role == PRIMARY -> ship()
  :: else
  fi
}

/* A planned switch: silent, and offered at once. */
inline hand_over() {
  node[me].handing_over = 1; switches++;
  send_heartbeat()
}

/*
 * What was under way when it fell silent: an answer of an upstream, a deadline. Once it has offered, answers wait for
 * the end of that, for whoever takes over goes on with the same push numbers; other entries, as of a session that ends,
 * do not. Numbers are not in this model.
 */
inline late_entry() {
  node[me].history = node[me].history | (1 << entries); node[me].position++; entries++;
  ship()
}

inline crash() {
  node[me].up = 0; node[me].paused = 0; node[me].due = 0; node[me].late = 0;
  node[me].role = STARTING; node[me].in_sync = 0; node[me].handing_over = 0;
  node[me].peer_boot = 0; node[me].caught_up = 0; node[me].told = 0; node[me].knows = 0; node[me].departed = 0; node[me].silence = 0; node[me].lease_age = TIMEOUT;
  node[me].recovered = DISK_JOURNAL;
  node[me].was_primary = node[me].file_primary; node[me].solo = node[me].file_solo; node[me].seen = node[me].file_epoch;
  if
  :: !DISK_JOURNAL -> node[me].history = 0; node[me].position = 0; node[me].log_epoch = node[me].file_epoch
  :: else
  fi;
  node[me].epoch = node[me].log_epoch;
  /* What nobody holds any more no rule can keep. */
  confirmed = confirmed & (node[0].history | node[1].history);
  forget(answer[me]);
  confirmation[me].under_way = 0; confirmation[me].boot = 0; confirmation[me].epoch = 0; confirmation[me].history = 0
}

/* Its boot id goes on: it is not below the wall clock. */
inline lose_disk() {
  node[me].history = 0; node[me].position = 0; node[me].log_epoch = 0;
  node[me].file_primary = 0; node[me].file_solo = 0; node[me].file_epoch = 0;
  crash();
  node[me].recovered = 0
}

/* The journal knows its epoch; one that was configured as primary goes on alone under `continue`, in a new epoch. */
inline lose_role() {
  node[me].file_primary = 0; node[me].file_solo = !STEP_DOWN && me == 0; node[me].file_epoch = node[me].log_epoch;
  crash();
  node[me].recovered = 0
}

inline older() {
  k = 0;
  do
  :: k < 2 ->
    node[k].late = node[k].late | (node[k].up && node[k].due);
    node[k].due = node[k].up;
    node[k].silence = (node[k].up && node[k].silence < TIMEOUT -> node[k].silence + 1 : node[k].silence);
    node[k].lease_age = (node[k].lease_age < TIMEOUT -> node[k].lease_age + 1 : node[k].lease_age);
    heartbeat[k].age = (heartbeat[k].under_way && heartbeat[k].age < TIMEOUT -> heartbeat[k].age + 1 : heartbeat[k].age);
    answer[k].age = (answer[k].under_way && answer[k].age < TIMEOUT -> answer[k].age + 1 : answer[k].age);
    k++
  :: else -> break
  od
}

inline lose(i) {
  forget(heartbeat[i]); forget(answer[i]);
  shipment[i].under_way = 0; shipment[i].boot = 0; shipment[i].epoch = 0; shipment[i].position = 0; shipment[i].history = 0;
  confirmation[i].under_way = 0; confirmation[i].boot = 0; confirmation[i].epoch = 0; confirmation[i].history = 0
}

#define alive(i) (node[i].up && !node[i].paused)

init {
  d_step {
    k = 0;
    do
    :: k < 2 -> node[k].up = 1; node[k].boot = 1; node[k].due = 1; node[k].recovered = 1; node[k].lease_age = TIMEOUT; k++
    :: else -> break
    od;
    node[0].was_primary = 1; node[0].file_primary = 1;
    k = 0
  }
  do
  /* Messages; one to a node that is down is lost. */
  :: alive(0) && heartbeat[0].under_way -> d_step { me = 0; on_heartbeat(); watch() }
  :: alive(1) && heartbeat[1].under_way -> d_step { me = 1; on_heartbeat(); watch() }
  :: alive(0) && answer[0].under_way -> d_step { me = 0; on_answer(); watch() }
  :: alive(1) && answer[1].under_way -> d_step { me = 1; on_answer(); watch() }
  :: alive(0) && shipment[0].under_way -> d_step { me = 0; on_shipment(); watch() }
  :: alive(1) && shipment[1].under_way -> d_step { me = 1; on_shipment(); watch() }
  :: alive(0) && confirmation[0].under_way -> d_step { me = 0; on_confirmation(); watch() }
  :: alive(1) && confirmation[1].under_way -> d_step { me = 1; on_confirmation(); watch() }
  :: !node[0].up && (heartbeat[0].under_way || answer[0].under_way || shipment[0].under_way || confirmation[0].under_way) -> d_step { lose(0) }
  :: !node[1].up && (heartbeat[1].under_way || answer[1].under_way || shipment[1].under_way || confirmation[1].under_way) -> d_step { lose(1) }
  /* Timers. */
  :: waiting(0) -> d_step { me = 0; on_tick(); watch() }
  :: waiting(1) -> d_step { me = 1; on_tick(); watch() }
  :: !waiting(0) && !waiting(1) && (cut || ((quiet(0) || node[0].paused) && (quiet(1) || node[1].paused))) && !(calm && calm_ticks == CALM_TICKS) ->
    d_step {
      calm_ticks = (calm -> calm_ticks + 1 : 0);
      cuts = (cut -> cuts + 1 : cuts);
      cut = cut && cuts < CUTS;
      older(); watch()
    }
  :: calm && calm_ticks == CALM_TICKS && quiet(0) && quiet(1) && !waiting(0) && !waiting(1) ->
    assert(healthy(0) || healthy(1));                                       /* one_again */
    break
  /* Requests and pushes. */
  :: entries < ENTRIES && !calm && accepting(0) -> d_step { node[0].history = node[0].history | (1 << entries); node[0].position++; entries++ }
  :: entries < ENTRIES && !calm && accepting(1) -> d_step { node[1].history = node[1].history | (1 << entries); node[1].position++; entries++ }
  /* A planned switch, once everything was confirmed. */
  :: switches < SWITCHES && !calm && accepting(0) && paired(0) && node[1].history == node[0].history -> d_step { me = 0; hand_over(); watch() }
  :: switches < SWITCHES && !calm && accepting(1) && paired(1) && node[0].history == node[1].history -> d_step { me = 1; hand_over(); watch() }
  :: entries < ENTRIES && !calm && alive(0) && node[0].handing_over -> d_step { me = 0; late_entry(); watch() }
  :: entries < ENTRIES && !calm && alive(1) && node[1].handing_over -> d_step { me = 1; late_entry(); watch() }
  /* The next offer leaves before the answer to the last one is here. */
  :: !calm && alive(0) && node[0].handing_over && !heartbeat[1].under_way -> d_step { me = 0; send_heartbeat(); watch() }
  :: !calm && alive(1) && node[1].handing_over && !heartbeat[0].under_way -> d_step { me = 1; send_heartbeat(); watch() }
  /* A graceful stop: a goodbye, then the end of the process. */
  :: stops < STOPS && !calm && alive(0) && node[0].role != STARTING -> d_step { me = 0; stops++; say_goodbye(); crash(); watch() }
  :: stops < STOPS && !calm && alive(1) && node[1].role != STARTING -> d_step { me = 1; stops++; say_goodbye(); crash(); watch() }
  /* An operator says solo. */
  :: operators < OPERATORS && !calm && alive(0) && !node[1].up && !node[1].solo && !accepting(0) ->
    d_step { me = 0; operators++; if :: node[0].role == PRIMARY -> serve() :: else -> lead() fi; watch() }
  :: operators < OPERATORS && !calm && alive(1) && !node[0].up && !node[0].solo && !accepting(1) ->
    d_step { me = 1; operators++; if :: node[1].role == PRIMARY -> serve() :: else -> lead() fi; watch() }
  /* Faults. */
  :: crashes < CRASHES && !calm && node[0].up -> d_step { me = 0; crashes++; crash(); watch() }
  :: crashes < CRASHES && !calm && node[1].up -> d_step { me = 1; crashes++; crash(); watch() }
  :: losses < LOSSES && !calm && node[1].up -> d_step { me = 1; losses++; lose_disk(); watch() }
  :: role_losses < ROLE_LOSSES && !calm && node[0].up -> d_step { me = 0; role_losses++; lose_role(); watch() }
  :: role_losses < ROLE_LOSSES && !calm && node[1].up -> d_step { me = 1; role_losses++; lose_role(); watch() }
  :: fails < FAILS && !calm && node[0].disk == WRITABLE -> d_step { node[0].disk = UNWRITABLE; fails++ }
  :: fails < FAILS && !calm && node[0].disk == WRITABLE -> d_step { node[0].disk = UNSYNCED; fails++ }
  :: fails < FAILS && !calm && node[1].disk == WRITABLE -> d_step { node[1].disk = UNWRITABLE; fails++ }
  :: fails < FAILS && !calm && node[1].disk == WRITABLE -> d_step { node[1].disk = UNSYNCED; fails++ }
  :: node[0].disk != WRITABLE -> node[0].disk = WRITABLE
  :: node[1].disk != WRITABLE -> node[1].disk = WRITABLE
  :: !node[0].up && node[0].disk == WRITABLE -> d_step { node[0].up = 1; node[0].boot++; node[0].due = 1 }
  :: !node[1].up && node[1].disk == WRITABLE -> d_step { node[1].up = 1; node[1].boot++; node[1].due = 1 }
  :: pauses < PAUSES && !calm && alive(0) -> d_step { node[0].paused = 1; pauses++ }
  :: pauses < PAUSES && !calm && alive(1) -> d_step { node[1].paused = 1; pauses++ }
  :: node[0].paused -> d_step { node[0].paused = 0; watch() }
  :: node[1].paused -> d_step { node[1].paused = 0; watch() }
  :: !cut && cuts < CUTS && !calm -> d_step { cut = 1; cuts++ }
  :: cut -> cut = 0
  :: cut && heartbeat[0].under_way -> d_step { forget(heartbeat[0]) }
  :: cut && heartbeat[1].under_way -> d_step { forget(heartbeat[1]) }
  :: cut && answer[0].under_way -> d_step { forget(answer[0]) }
  :: cut && answer[1].under_way -> d_step { forget(answer[1]) }
  :: cut && shipment[0].under_way -> d_step { shipment[0].under_way = 0; shipment[0].boot = 0; shipment[0].epoch = 0; shipment[0].position = 0; shipment[0].history = 0 }
  :: cut && shipment[1].under_way -> d_step { shipment[1].under_way = 0; shipment[1].boot = 0; shipment[1].epoch = 0; shipment[1].position = 0; shipment[1].history = 0 }
  :: cut && confirmation[0].under_way -> d_step { confirmation[0].under_way = 0; confirmation[0].boot = 0; confirmation[0].epoch = 0; confirmation[0].history = 0 }
  :: cut && confirmation[1].under_way -> d_step { confirmation[1].under_way = 0; confirmation[1].boot = 0; confirmation[1].epoch = 0; confirmation[1].history = 0 }
  :: !calm && !cut && node[0].up && node[1].up && !node[0].paused && !node[1].paused &&
     node[0].disk == WRITABLE && node[1].disk == WRITABLE -> calm = 1
  od
}
