package dev.imagen.observe;

import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.Notifications;
import dev.imagen.worker.Worker;
import io.helidon.health.HealthCheck;
import io.helidon.health.HealthCheckResponse;
import io.helidon.health.HealthCheckType;
import io.helidon.webserver.observe.health.HealthObserver;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Live: the loops turn. Ready: a request is likely to succeed now. Started: the schema is up to date, and the process
 * has begun to work. A database that is down or not migrated makes the process not ready or not started, never not
 * live: a restart would not bring it back.
 */
public final class Health {

    private static final System.Logger LOG = System.getLogger(Health.class.getName());

    /** Longer than any poll, statement or wait for a connection. */
    private static final Duration LONGEST_TURN = Duration.ofMinutes(15);

    /** Fails too where the schema is gone. */
    private static final String ANSWERS = """
            select exists (select from imagen.workers) as working
            """;

    private final Database database;
    private final Notifications notifications;
    private final Optional<Worker> worker;
    private final AtomicBoolean migrated = new AtomicBoolean();
    private final AtomicBoolean stopping = new AtomicBoolean();

    /** @param worker empty where this process claims nothing */
    public Health(Database database, Notifications notifications, Optional<Worker> worker) {
        this.database = database;
        this.notifications = notifications;
        this.worker = worker;
    }

    /** The schema is up to date: from now on the process can be ready. */
    public void migrated() {
        migrated.set(true);
    }

    /** The process stops: from now on it is not ready, so that nobody sends it new requests. */
    public void stopping() {
        stopping.set(true);
    }

    /** The endpoint {@code /observe/health}. */
    public HealthObserver observer() {
        return HealthObserver.builder().useSystemServices(false).details(true)
                .addCheck(check("loops", HealthCheckType.LIVENESS, this::live))
                .addCheck(check("service", HealthCheckType.READINESS, this::ready))
                .addCheck(check("migrations", HealthCheckType.STARTUP, this::started)).build();
    }

    private HealthCheckResponse live() {
        var turn = worker.map(Worker::sinceLastTurn).orElse(Duration.ZERO);
        return answer(turn.compareTo(LONGEST_TURN) < 0, "the worker's loop turned " + turn.toSeconds() + " s ago");
    }

    private HealthCheckResponse started() {
        return answer(migrated.get(), migrated.get() ? "the schema is up to date" : "the schema is not up to date yet");
    }

    private HealthCheckResponse ready() {
        if (stopping.get()) {
            return answer(false, "the process is stopping");
        }
        if (!migrated.get()) {
            return started();
        }
        if (!notifications.healthy()) {
            return answer(false, "the listener is not connected");
        }
        try {
            database.one(ANSWERS, row -> row.flag("working"));
            return answer(true, "the database answers");
        } catch (DatabaseException e) {
            LOG.log(Level.DEBUG, "not ready", e);
            return answer(false, "the database does not answer");
        }
    }

    private static HealthCheckResponse answer(boolean up, String detail) {
        return HealthCheckResponse.builder().status(up).detail("detail", detail).build();
    }

    private static HealthCheck check(String name, HealthCheckType type, Supplier<HealthCheckResponse> call) {
        return new HealthCheck() {
            @Override
            public HealthCheckType type() {
                return type;
            }

            @Override
            public String name() {
                return name;
            }

            @Override
            public HealthCheckResponse call() {
                return call.get();
            }
        };
    }
}
