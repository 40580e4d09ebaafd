/*
 * The queue: two workers, two jobs, and a network between them and the database that delays and loses.
 * README.md says what is checked, what is left out and why; check.sh checks it.
 *
 * Each statement of JobSql and LeaseSql is one step that reads and writes rows. What a worker does on the answer is
 * another step wherever something may happen between the two. Steps that change nothing (a poll that finds no job) are
 * left out, so every run of the model ends.
 *
 * CLAIM, SETTLE, RESCUE and the like stand for statements. UNFENCED and the like, which check.sh sets with -D, take a
 * guard away.
 */

/* How many things go wrong in a run, of any kind: each step with TROUBLE is one. */
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef JOBS
#define JOBS 2
#endif
/* The column max_attempts. */
#define MAX_ATTEMPTS 2
/* With retry_job, called for one of the jobs once. */
#ifdef RETRY
#define LIVES 2
#else
#define LIVES 1
#endif

/* An attempt ends in a failure, or in a hand-back that a fault has caused: there are never more. Spin checks the index. */
#define ATTEMPTS (MAX_ATTEMPTS * LIVES + FAULTS)
/* A worker registers anew only after a fault. Even ids are those of worker 0, odd ids of worker 1. */
#define IDS (2 * (FAULTS + 1))
#define NOBODY IDS
#define owner(anId) (anId % 2)

#if ATTEMPTS == 3
#define ANY(test, j, w) (test(j, 1, w) || test(j, 2, w) || test(j, 3, w))
#define STEPS_OF(job) STEPS(job, 1) STEPS(job, 2) STEPS(job, 3)
#elif ATTEMPTS == 4
#define ANY(test, j, w) (test(j, 1, w) || test(j, 2, w) || test(j, 3, w) || test(j, 4, w))
#define STEPS_OF(job) STEPS(job, 1) STEPS(job, 2) STEPS(job, 3) STEPS(job, 4)
#elif ATTEMPTS == 5
#define ANY(test, j, w) (test(j, 1, w) || test(j, 2, w) || test(j, 3, w) || test(j, 4, w) || test(j, 5, w))
#define STEPS_OF(job) STEPS(job, 1) STEPS(job, 2) STEPS(job, 3) STEPS(job, 4) STEPS(job, 5)
#else
#error "ATTEMPTS must be 3 to 5"
#endif

/* ---- What the database knows ---- */

mtype:status = { pending, running, done, failed, cancelled }

typedef Job {
    mtype:status status = pending;
    byte worker = NOBODY;
    byte attempt;
    byte failures;
    bool asked;                 /* cancel_requested_at is set */
    bool wish;                  /* its client may yet call cancel_job */
    bool again                  /* its client may yet call retry_job */
}

Job job[2];
/* Whether the heartbeat of this registration is younger than the lease. A row that was deleted is not alive either. */
bool alive[IDS];

/* ---- What the workers know ---- */

/* Each attempt of each job, from the answer to its claim until its outcome is recorded (RunningJob, JobRunner). */
mtype:phase = {
    none,
    claimed,                    /* by a statement whose answer is under way */
    working,
    finishing,                  /* FINISH is sent; its file is stored */
    asking,                     /* FINISH changed no row: FINISHED_BY_US is sent */
    written,                    /* FINISH is written; its answer is under way */
    cancelling,                 /* stopped; CANCEL is sent */
    returning                   /* stopped; HAND_BACK is sent */
}
mtype:statement = { nothing, finish, failTransiently, failForGood, cancel, handBack }

typedef Attempt {
    mtype:phase phase = none;
    byte worker = NOBODY;
    mtype:statement late = nothing;     /* a copy that the worker waits for no longer, but which may still arrive */
    bool removed                        /* its file */
}
typedef Attempts { Attempt nr[ATTEMPTS] }

Attempts attempts[2];
#define AT(j, k) attempts[j].nr[(k) - 1]

mtype:life = {
    holding,                    /* believes that it holds the lease */
    quiet,                      /* got no renewal through for two thirds of the lease: has stopped its jobs */
    down,                       /* crashed, and comes back */
    gone                        /* crashed for ever */
}

typedef Process {
    mtype:life life = holding;
    byte id;
    bool claiming;              /* the answer to a claim is under way */
#ifdef RETRY
    byte told[2];               /* attempts to stop, by a renewal whose answer is under way */
#endif
#ifdef SPLIT_RESCUE
    bool saw[2];                /* jobs of dead workers, by a rescue that has read them and not locked them yet */
#endif
}

Process process[2];

/* ---- What the network holds ---- */

bool lateClaim[IDS];
byte lateHandBack = NOBODY;     /* one at a time, of this registration */
bool lateKnown[2];              /* jobs that it spares, because the worker runs them */
byte lateSince[2];              /* attempts that it spares, because they began after it was sent, are later than these */

byte faults = FAULTS;
#define TROUBLE faults > 0

/* ---- What must never happen ---- */

/* Set just before its assertion, so that spin's message names it. Hidden is not part of the state. */

hidden byte ended_twice;        /* a job that had ended ends again */
hidden byte finished_by_another; /* FINISH is accepted from another worker or attempt than those of the row */
hidden byte lost_file;          /* a done job without its file */
hidden byte cancelled_unasked;  /* a job is cancelled though nobody asked */
hidden byte works_unheld;       /* a worker works on what it does not hold, and is no zombie */
hidden byte x, y;               /* for loops */

#define over(j) (job[j].status == done || job[j].status == failed || job[j].status == cancelled)
#define is(j, s) (job[j].status == s)
#define holds(j, k) (is(j, running) && job[j].worker == AT(j, k).worker && job[j].attempt == k)

/* ---- Changes of a row ---- */

inline become(j, to) {
    ended_twice = over(j);
    assert(!ended_twice);
    job[j].status = to;
    /* What no statement reads any more is cleared, so that equal states are found equal. */
    if
    :: to == running || to == done
    :: else -> job[j].worker = NOBODY
    fi;
    if
    :: over(j) ->
        job[j].failures = 0; job[j].wish = false;
#ifndef RETRY
        job[j].asked = false;
        if
        :: to == done
        :: else -> job[j].attempt = 0
        fi
#endif
    :: else
    fi
}

inline becomeUnlessAsked(j, to) {
    if
    :: job[j].asked -> become(j, cancelled)
    :: else -> become(j, to)
    fi
}

inline becomeAfterFailure(j, to) {
    job[j].failures++;
    if
    :: job[j].failures < MAX_ATTEMPTS -> becomeUnlessAsked(j, to)
    :: else -> becomeUnlessAsked(j, failed)
    fi
}

/* ---- The end of an attempt ---- */

/* The WHERE of FINISH. */
#ifdef UNFENCED
#define fence(j, k) is(j, running)
#elif defined(ANY_ATTEMPT)
#define fence(j, k) (is(j, running) && job[j].worker == AT(j, k).worker)
#elif defined(ANY_STATUS)
#define fence(j, k) (job[j].worker == AT(j, k).worker && job[j].attempt == k)
#else
#define fence(j, k) holds(j, k)
#endif

#define finishedByUs(j, k) (is(j, done) && job[j].worker == AT(j, k).worker && job[j].attempt == k)
#ifdef STRICT
#define recognised(j, k) false
#else
#define recognised(j, k) finishedByUs(j, k)
#endif

/* FINISH, FAIL, CANCEL and HAND_BACK change no row that its attempt does not hold. */
inline SETTLE(j, k, statement) {
    if
    :: statement == finish && fence(j, k) ->
        finished_by_another = job[j].worker != AT(j, k).worker || job[j].attempt != k;
        assert(!finished_by_another);
        lost_file = AT(j, k).removed;
        assert(!lost_file);
        become(j, done)
    :: statement != finish && holds(j, k) ->
        if
        :: statement == failTransiently -> becomeAfterFailure(j, pending)
        :: statement == failForGood -> becomeAfterFailure(j, failed)
        :: statement == cancel ->
            cancelled_unasked = !job[j].asked;
            assert(!cancelled_unasked);
            become(j, cancelled)
        :: statement == handBack -> becomeUnlessAsked(j, pending)
        fi
    :: else
    fi
}

inline removeFile(j, k) {
    lost_file = is(j, done) && job[j].attempt == k;
    assert(!lost_file);
    AT(j, k).removed = true
}

#ifdef DISCARD
#define onGivingUp(j, k) removeFile(j, k)
#else
#define onGivingUp(j, k) skip
#endif

inline clear(j, k) {
    if
    :: finishedByUs(j, k) -> job[j].worker = NOBODY; job[j].attempt = 0
    :: else
    fi;
    AT(j, k).worker = NOBODY; AT(j, k).removed = false
}

/* The worker knows nothing of this attempt any more. */
inline forget(j, k) {
    AT(j, k).phase = none;
    if
    :: AT(j, k).late == nothing -> clear(j, k)
    :: else
    fi
}

/* It is named here as long as a late copy of its statement may still arrive. */
inline arrived(j, k) {
    AT(j, k).late = nothing;
    if
    :: AT(j, k).phase == none -> clear(j, k)
    :: else
    fi
}

/*
 * One attempt. The pipeline returns images or throws; FINISH, and FINISHED_BY_US where it changed no row. Whatever the
 * answer to FAIL, CANCEL and HAND_BACK is, the attempt ends, so these are one step.
 * TROUBLE: the answer does not come, and the statement is sent again or the runner gives up; or the request comes late,
 * while it is sent again or after the runner gave up. A late request may also never come.
 */
#define STEPS(j, k) \
    :: d_step { AT(j, k).phase == working -> AT(j, k).phase = finishing } \
    :: d_step { AT(j, k).phase == working -> SETTLE(j, k, failTransiently); forget(j, k) } \
    :: d_step { AT(j, k).phase == working -> SETTLE(j, k, failForGood); forget(j, k) } \
    :: d_step { AT(j, k).phase == cancelling -> SETTLE(j, k, cancel); forget(j, k) } \
    :: d_step { AT(j, k).phase == returning -> SETTLE(j, k, handBack); forget(j, k) } \
    :: d_step { AT(j, k).phase == finishing && fence(j, k) -> SETTLE(j, k, finish); AT(j, k).phase = written } \
    :: d_step { AT(j, k).phase == finishing && !fence(j, k) -> AT(j, k).phase = asking } \
    :: d_step { AT(j, k).phase == asking && recognised(j, k) -> AT(j, k).phase = written } \
    :: d_step { AT(j, k).phase == asking && !recognised(j, k) -> removeFile(j, k); forget(j, k) } \
    :: d_step { AT(j, k).phase == written -> forget(j, k) } \
    \
    :: d_step { TROUBLE && unanswered(j, k) -> faults--; AT(j, k).phase = finishing } \
    :: d_step { TROUBLE && unanswered(j, k) -> faults--; onGivingUp(j, k); forget(j, k) } \
    :: d_step { TROUBLE && AT(j, k).phase == finishing -> faults--; AT(j, k).late = finish } \
    :: d_step { TROUBLE && AT(j, k).phase == finishing -> faults--; AT(j, k).late = finish; \
        onGivingUp(j, k); forget(j, k) } \
    :: d_step { TROUBLE && AT(j, k).phase == working -> faults--; AT(j, k).late = failTransiently; forget(j, k) } \
    :: d_step { TROUBLE && AT(j, k).phase == working -> faults--; AT(j, k).late = failForGood; forget(j, k) } \
    :: d_step { TROUBLE && AT(j, k).phase == cancelling -> faults--; AT(j, k).late = cancel; forget(j, k) } \
    :: d_step { TROUBLE && AT(j, k).phase == returning -> faults--; AT(j, k).late = handBack; forget(j, k) } \
    \
    :: d_step { AT(j, k).late != nothing -> SETTLE(j, k, AT(j, k).late); arrived(j, k) } \
    :: d_step { AT(j, k).late != nothing -> arrived(j, k) }

#define unanswered(j, k) (AT(j, k).phase == asking || AT(j, k).phase == written)

proctype Runners() {
end:
    do
    STEPS_OF(0)
#if JOBS == 2
    STEPS_OF(1)
#endif
    od
}

/* ---- A worker ---- */

#define runs(j, k, w) (AT(j, k).phase != none && owner(AT(j, k).worker) == w)
#define up(w) (process[w].life == holding || process[w].life == quiet)
#define current(w) process[w].id
/* By its own clock, not by the database's. */
#define leased(w) (process[w].life == holding)

/* All attempts of this worker that are in one phase (none: in any) go to another. No loop may end a d_step: hence x. */
inline turn(w, from, to) {
    for (x : 0 .. 1) {
        for (y : 1 .. ATTEMPTS) {
            if
            :: runs(x, y, w) && (from == none || AT(x, y).phase == from) ->
                if
                :: to == none -> forget(x, y)
                :: else -> AT(x, y).phase = to
                fi
            :: else
            fi
        }
    };
    x = 0
}

/* CLAIM: the database looks whether its worker is alive. */
#define claimable(j, anId) (is(j, pending) && alive[anId])
inline CLAIM(j, anId) {
    become(j, running); job[j].worker = anId; job[j].attempt++
}
inline CLAIM_FOR(j, w) {
    CLAIM(j, current(w));
    AT(j, job[j].attempt).phase = claimed; AT(j, job[j].attempt).worker = current(w);
    process[w].claiming = true
}
/* One loop claims and hands back: none of these while the answer to a claim is under way. */
#define looks(w) (leased(w) && !process[w].claiming)

/* The claims of one statement are all in the name of one registration. */
#define claimedNow(j, k, w) (runs(j, k, w) && AT(j, k).phase == claimed && AT(j, k).worker == current(w))
#ifdef BLIND
#define stillLeased(w) true
#else
#define stillLeased(w) (leased(w) && (ANY(claimedNow, 0, w) || ANY(claimedNow, 1, w)))
#endif

/* HAND_BACK_UNKNOWN leaves alone every job of which this worker has an attempt. */
#ifdef FORGET
#define unknown(j, w) false
#else
#define unknown(j, w) (is(j, running) && job[j].worker == current(w) && !ANY(runs, j, w))
#endif

/* Sent where a row is unknown: whatever else may become so is claimed later, and spared. */
#ifdef LATE_HAND_BACK
#define handsBackLate(w) looks(w)
#define notSince(j) true
#else
#define handsBackLate(w) (looks(w) && (unknown(0, w) || unknown(1, w)))
#define notSince(j) (job[j].attempt <= lateSince[j])
#endif
#define lateUnknown(j) (is(j, running) && job[j].worker == lateHandBack && !lateKnown[j] && notSince(j))

inline handBackUnknown(j) {
    if
    :: lateUnknown(j) -> becomeUnlessAsked(j, pending)
    :: else
    fi
}

inline noHandBack() {
    lateHandBack = NOBODY;
    lateKnown[0] = false; lateKnown[1] = false; lateSince[0] = 0; lateSince[1] = 0
}

/* RESCUE */
#define orphaned(j) (is(j, running) && !alive[job[j].worker])
#ifdef SPLIT_RESCUE
#define RESCUE(j, w) \
    :: d_step { up(w) && orphaned(j) && !process[w].saw[j] -> process[w].saw[j] = true } \
    :: d_step { up(w) && process[w].saw[j] -> process[w].saw[j] = false; \
        if \
        :: is(j, running) -> becomeAfterFailure(j, pending) \
        :: else \
        fi }
#else
#define RESCUE(j, w) \
    :: d_step { up(w) && orphaned(j) -> becomeAfterFailure(j, pending) }
#endif

/* RENEW also tells which jobs are to be stopped. */
#define toStop(j, w) (is(j, running) && job[j].worker == current(w) && job[j].asked \
    && AT(j, job[j].attempt).phase == working)
#define renewable(w) (up(w) && alive[current(w)])
#ifdef STALE_CANCEL
#define named(j, w) job[j].attempt
#else
#define named(j, w) process[w].told[j]
#endif
#ifdef RETRY
/* Only after a retry does it matter when the answer comes: until then, a job that is to be stopped stays so. */
#define CANCELS(j, w) \
    :: d_step { renewable(w) && toStop(j, w) && process[w].told[j] != job[j].attempt -> \
        process[w].told[j] = job[j].attempt } \
    :: d_step { process[w].told[j] != 0 -> \
        if \
        :: named(j, w) != 0 && runs(j, named(j, w), w) && AT(j, named(j, w)).phase == working -> \
            AT(j, named(j, w)).phase = cancelling \
        :: else \
        fi; \
        process[w].told[j] = 0 }
#else
#define CANCELS(j, w) \
    :: d_step { renewable(w) && toStop(j, w) -> AT(j, job[j].attempt).phase = cancelling }
#endif

inline register(w) {
    current(w) = current(w) + 2; alive[current(w)] = true; process[w].life = holding
}

#ifdef REVIVE
#define onRefusal(w) alive[current(w)] = true; process[w].life = holding
#else
#define onRefusal(w) turn(w, working, returning); register(w)
#endif
#ifdef RUN_ON
#define onSilence(w) skip
#else
#define onSilence(w) turn(w, working, returning)
#endif

inline forgetAnswers(w) {
#ifdef RETRY
    process[w].told[0] = 0; process[w].told[1] = 0;
#endif
#ifdef SPLIT_RESCUE
    process[w].saw[0] = false; process[w].saw[1] = false;
#endif
    process[w].claiming = false
}

proctype Worker(byte w) {
end:
    do
    /* The claim and its answer; lost; late. */
    :: d_step { looks(w) && claimable(0, current(w)) -> CLAIM_FOR(0, w) }
#if JOBS == 2
    :: d_step { looks(w) && claimable(1, current(w)) -> CLAIM_FOR(1, w) }
    :: d_step { looks(w) && claimable(0, current(w)) && claimable(1, current(w)) -> CLAIM_FOR(0, w); CLAIM_FOR(1, w) }
#endif
    :: d_step { process[w].claiming && stillLeased(w) -> turn(w, claimed, working); process[w].claiming = false }
    :: d_step { process[w].claiming && !stillLeased(w) -> turn(w, claimed, returning); process[w].claiming = false }
    :: d_step { TROUBLE && process[w].claiming -> faults--; turn(w, claimed, none); process[w].claiming = false }
    :: d_step { TROUBLE && looks(w) && alive[current(w)] -> faults--; lateClaim[current(w)] = true }

    /* Recovery and rescue. Their answers tell a worker nothing that it acts upon. */
    :: d_step { looks(w) && unknown(0, w) -> becomeUnlessAsked(0, pending) }
#if JOBS == 2
    :: d_step { looks(w) && unknown(1, w) -> becomeUnlessAsked(1, pending) }
#endif
    :: d_step { TROUBLE && handsBackLate(w) && lateHandBack == NOBODY -> faults--; lateHandBack = current(w);
        lateKnown[0] = ANY(runs, 0, w); lateSince[0] = job[0].attempt;
        lateKnown[1] = ANY(runs, 1, w); lateSince[1] = job[1].attempt }
    RESCUE(0, w)
#if JOBS == 2
    RESCUE(1, w)
#endif

    /* The heartbeat. A refused renewal stops all jobs; then the process registers anew. */
    CANCELS(0, w)
#if JOBS == 2
    CANCELS(1, w)
#endif
    :: d_step { renewable(w) && !leased(w) -> process[w].life = holding }
    :: d_step { up(w) && !alive[current(w)] -> onRefusal(w) }
    /* Cut off: no renewal gets through for two thirds of the lease. Or a shutdown: it claims no more and hands back. */
    :: d_step { TROUBLE && leased(w) && alive[current(w)] -> faults--; process[w].life = quiet; onSilence(w) }
    /* Suspended for longer than the lease: it does not know it, and whatever it does next comes too late. */
    :: d_step { TROUBLE && leased(w) && alive[current(w)] -> faults--; alive[current(w)] = false }
    /* Crash. It is worker 1 that never comes back, if one does not: which of them is called so is of no account. */
    :: d_step { TROUBLE && up(w) -> faults--; turn(w, none, none); forgetAnswers(w); process[w].life = down }
    :: d_step { process[w].life == down -> register(w) }
    :: d_step { process[w].life == down && w == 1 -> process[w].life = gone }
    od
}

/* ---- Time, the network, the clients ---- */

/* A lease ends only where nobody relies on it: a worker stops its jobs long before. (Or where it was suspended, above.) */
#define endable(i) (alive[i] && !(leased(owner(i)) && current(owner(i)) == i))
#define LEASE(i) \
    :: d_step { endable(i) -> alive[i] = false; lateClaim[i] = false } \
    :: d_step { lateClaim[i] && claimable(0, i) -> lateClaim[i] = false; CLAIM(0, i) } \
    :: d_step { lateClaim[i] && claimable(1, i) -> lateClaim[i] = false; CLAIM(1, i) } \
    :: d_step { lateClaim[i] && claimable(0, i) && claimable(1, i) -> lateClaim[i] = false; CLAIM(0, i); CLAIM(1, i) } \
    :: d_step { lateClaim[i] -> lateClaim[i] = false }

/* cancel_job: of a job that has ended it changes nothing. */
#define CLIENT(j) \
    :: d_step { job[j].wish && is(j, pending) -> job[j].asked = true; become(j, cancelled) } \
    :: d_step { job[j].wish && is(j, running) -> job[j].wish = false; job[j].asked = true }

/* A zombie still believes in a lease that has ended; it is the only one that may work on what is no longer its own. */
#define zombie(anId) (leased(owner(anId)) && current(owner(anId)) == anId && !alive[anId])
#define astray(j, k, w) (AT(j, k).phase == working && !holds(j, k) && !zombie(AT(j, k).worker))

proctype World() {
end:
    do
    LEASE(0) LEASE(1)
#if FAULTS > 0
    LEASE(2) LEASE(3)
#endif
#if FAULTS > 1
    LEASE(4) LEASE(5)
#endif
#if FAULTS > 2
    LEASE(6) LEASE(7)
#endif
    CLIENT(0)
#if JOBS == 2
    CLIENT(1)
#endif
#ifdef RETRY
    /* retry_job */
    :: d_step { job[0].again && (is(0, failed) || is(0, cancelled)) -> job[0].again = false;
        job[0].status = pending; job[0].asked = false }
#endif
    :: d_step { lateHandBack != NOBODY -> handBackUnknown(0); handBackUnknown(1); noHandBack() }
    :: d_step { lateHandBack != NOBODY -> noHandBack() }
#ifdef LIVENESS
    /* No job may end only because something goes wrong in time. */
    :: d_step { TROUBLE -> faults = 0 }
#endif
    /* Never enabled, unless it is violated. */
    :: d_step { ANY(astray, 0, 0) || ANY(astray, 1, 0) -> works_unheld = true; assert(!works_unheld) }
    od
}

init {
    atomic {
        process[1].id = 1; alive[0] = true; alive[1] = true;
#ifdef LIVENESS
        /* Nor only because it is cancelled in time. */
        if
        :: job[0].wish = true; job[1].wish = true
        :: job[0].wish = true
        :: skip
        fi;
#else
        job[0].wish = true; job[1].wish = true;
#endif
#if JOBS == 1
        job[1].status = done; job[1].wish = false;
#endif
#ifdef RETRY
        job[0].again = true;
#endif
        run Worker(0); run Worker(1); run Runners(); run World()
    }
}

#ifdef LIVENESS
#ifdef RETRY
ltl every_job_ends { <> [] (over(0) && over(1)) }
#else
ltl every_job_ends { <> (over(0) && over(1)) }
#endif
#endif
