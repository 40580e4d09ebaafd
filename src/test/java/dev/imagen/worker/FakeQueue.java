package dev.imagen.worker;

import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A queue in memory, with the same promises and with faults on demand. */
final class FakeQueue implements JobQueue {

    record Settlement(Job job, Outcome outcome, Settled answer) {}

    private final List<Job> pending = new ArrayList<>();
    private final Map<UUID, Job> running = new HashMap<>();
    private final Map<UUID, Integer> cancels = new HashMap<>();
    private int claimFailures;
    private int settleFailures;
    private boolean renewals = true;
    private boolean alive = true;
    private Optional<Duration> nextDue = Optional.empty();
    private Optional<Duration> nextExpiry = Optional.empty();
    private volatile CountDownLatch hold = new CountDownLatch(0);
    private volatile CountDownLatch holdFinishes = new CountDownLatch(0);
    private volatile Set<String> unoffered = Set.of();
    private volatile boolean previewsWanted;
    private final Set<UUID> givenAway = ConcurrentHashMap.newKeySet();
    final BlockingQueue<Set<String>> failedUnoffered = new LinkedBlockingQueue<>();
    final BlockingQueue<Integer> held = new LinkedBlockingQueue<>();
    final BlockingQueue<UUID> renewed = new LinkedBlockingQueue<>();
    final BlockingQueue<Integer> finishes = new LinkedBlockingQueue<>();
    final BlockingQueue<Settlement> settled = new LinkedBlockingQueue<>();
    final BlockingQueue<WorkerIdentity> registered = new LinkedBlockingQueue<>();
    final BlockingQueue<UUID> left = new LinkedBlockingQueue<>();
    final BlockingQueue<Integer> claims = new LinkedBlockingQueue<>();
    final BlockingQueue<List<Offer>> offered = new LinkedBlockingQueue<>();
    final BlockingQueue<Set<UUID>> handedBackExcept = new LinkedBlockingQueue<>();
    final BlockingQueue<Integer> rescues = new LinkedBlockingQueue<>();
    final BlockingQueue<Collection<ProgressTick>> progress = new LinkedBlockingQueue<>();

    static Job job() {
        var now = Instant.now();
        return new Job(UUID.randomUUID(), UUID.randomUUID(), NewJob.of("a test"), Optional.empty(), JobStatus.PENDING,
                0, 0, Optional.empty(), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), 0, now, now,
                Optional.empty(), Optional.empty());
    }

    synchronized Job add() {
        return add(job());
    }

    synchronized Job add(Job job) {
        pending.add(job);
        return job;
    }

    synchronized void nextDue(Duration due) {
        nextDue = Optional.of(due);
    }

    /** What renewals foretell of another worker's lease. */
    synchronized void anotherLeaseEndsIn(Duration left) {
        nextExpiry = Optional.of(left);
    }

    synchronized void failClaims(int times) {
        claimFailures = times;
    }

    synchronized void failSettles(int times) {
        settleFailures = times;
    }

    synchronized void refuseRenewals() {
        renewals = false;
    }

    synchronized void declareDead() {
        alive = false;
    }

    synchronized void askToCancel(UUID job) {
        askToCancel(job, 1);
    }

    synchronized void askToCancel(UUID job, int attempt) {
        cancels.put(job, attempt);
    }

    void nobodyOffers(String backend) {
        unoffered = Set.of(backend);
    }

    /** What another worker's claim would do. */
    synchronized void takeAway(UUID job) {
        running.remove(job);
    }

    Settlement awaitSettled() throws InterruptedException {
        var next = settled.poll(10, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("no job was settled within 10 s");
        }
        return next;
    }

    @Override
    public synchronized void register(WorkerIdentity worker) {
        alive = true;
        registered.add(worker);
    }

    @Override
    public synchronized Renewal renew(UUID worker) {
        if (!renewals) {
            throw new IllegalStateException("no answer");
        }
        renewed.add(worker);
        return new Renewal(alive, Map.copyOf(cancels), nextExpiry);
    }

    @Override
    public void leave(UUID worker) {
        left.add(worker);
    }

    /** Lets claims happen, but keeps their answers back until the latch is down. */
    CountDownLatch holdClaims() {
        hold = new CountDownLatch(1);
        return hold;
    }

    @Override
    public List<Job> claim(WorkerIdentity worker, List<Offer> offers, int limit) {
        var claimed = claimNow(worker, offers, limit);
        if (hold.getCount() > 0) {
            held.add(claimed.size());
            await(hold);
        }
        return claimed;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private synchronized List<Job> claimNow(WorkerIdentity worker, List<Offer> offers, int limit) {
        if (claimFailures > 0) {
            claimFailures--;
            throw new IllegalStateException("the database went away");
        }
        var claimed = new ArrayList<Job>();
        for (Offer offer : offers) {
            pending.stream().filter(job -> backend(job, worker).equals(offer.backend())).limit(offer.free())
                    .forEach(job -> claimed.add(claimed(job, worker)));
        }
        claimed.subList(Math.min(limit, claimed.size()), claimed.size()).clear();
        pending.removeIf(job -> claimed.stream().anyMatch(taken -> taken.id().equals(job.id())));
        offered.add(offers);
        claimed.forEach(job -> running.put(job.id(), job));
        claims.add(claimed.size());
        return claimed;
    }

    @Override
    public synchronized Optional<Duration> untilNextDue(WorkerIdentity worker, List<Offer> offers) {
        return nextDue;
    }

    private static String backend(Job job, WorkerIdentity worker) {
        return job.request().backend().orElse(worker.defaultBackend());
    }

    private static Job claimed(Job job, WorkerIdentity worker) {
        var request = job.request();
        return new Job(job.id(), job.ownerUserId(),
                new NewJob(request.prompt(), request.negativePrompt(), Optional.of(backend(job, worker)),
                        request.model(), request.style(), request.width(), request.height(), request.steps(),
                        request.seed(), request.priority(), request.runAt(), request.maxAttempts()),
                job.idempotencyKey(), JobStatus.RUNNING, job.attempt() + 1, job.failures(), Optional.of(worker.id()),
                job.error(), job.imageId(), job.images(), job.cancelRequestedAt(), job.version() + 1, job.createdAt(),
                Instant.now(), Optional.of(Instant.now()), Optional.empty());
    }

    @Override
    public synchronized Settled settle(Job job, Outcome outcome) {
        if (settleFailures > 0) {
            settleFailures--;
            throw new IllegalStateException("the database went away");
        }
        var answer = running.remove(job.id(), job) ? Settled.WRITTEN : Settled.REFUSED;
        settled.add(new Settlement(job, outcome, answer));
        return answer;
    }

    /** Lets nothing be finished until the latch is down. */
    CountDownLatch holdFinishes() {
        holdFinishes = new CountDownLatch(1);
        return holdFinishes;
    }

    @Override
    public Set<UUID> finish(List<Finish> ended) {
        finishes.add(ended.size());
        await(holdFinishes);
        return finishNow(ended);
    }

    private synchronized Set<UUID> finishNow(List<Finish> ended) {
        return ended.stream().filter(finish -> settle(finish.job(), finish.done()) == Settled.WRITTEN)
                .map(finish -> finish.job().id()).collect(Collectors.toSet());
    }

    @Override
    public Map<UUID, Boolean> progress(Collection<ProgressTick> ticks) {
        progress.add(List.copyOf(ticks));
        var written = new HashMap<UUID, Boolean>();
        ticks.forEach(tick -> written.put(tick.job().id(), previewsWanted));
        written.keySet().removeAll(givenAway);
        return written;
    }

    /** Somebody in another process watches. */
    void wantPreviews() {
        previewsWanted = true;
    }

    /** Another owner's from now on. */
    void giveAway(UUID job) {
        givenAway.add(job);
    }

    @Override
    public synchronized int rescue() {
        rescues.add(0);
        return 0;
    }

    @Override
    public int handBackUnknown(UUID worker, Collection<UUID> known) {
        handedBackExcept.add(Set.copyOf(known));
        return 0;
    }

    @Override
    public Set<String> unoffered() {
        return unoffered;
    }

    @Override
    public int failUnoffered(Set<String> backends) {
        failedUnoffered.add(backends);
        return 1;
    }
}
