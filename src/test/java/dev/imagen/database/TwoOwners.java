package dev.imagen.database;

import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;

/** Rows of Alice and of Bob in every table that has owners, and one in every table that has none. */
record TwoOwners(Map<String, String> alice, Map<String, String> bob) {

    private static final String JOB = """
            insert into imagen.jobs (owner_user_id, prompt, backend, status, attempt)
            values (?, 'a test', 'mock', ?, 1) returning id""";

    private static final String IMAGE = """
            insert into imagen.images (job_id, owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256,
                                       backend, model, prompt)
            values (?, ?, 'file', 'a.png', 'image/png', 1, 1, 1, '', 'mock', 'm', 'p') returning id""";

    static TwoOwners in(TestDatabase db) throws SQLException {
        db.execute("insert into imagen.workers (id, name, backends) values (gen_random_uuid(), 'w', '{mock}')",
                "insert into imagen.pauses (backend) values ('mock'), ('other')",
                "insert into imagen.queue_samples (taken_at, backend, pending, running) values (clock_timestamp(), 'mock', 0, 0)");
        return new TwoOwners(rows(db), rows(db));
    }

    /** @return what a statement about an owner can name: {@code :owner}, {@code :pending} … */
    private static Map<String, String> rows(TestDatabase db) throws SQLException {
        var owner = UUID.randomUUID();
        var pending = job(db, owner, "pending");
        job(db, owner, "pending");
        var running = job(db, owner, "running");
        var done = job(db, owner, "done");
        var image = db.row(IMAGE, done, owner).get("id");
        var names = Map.of(":owner", owner.toString(), ":pending", pending.toString(), ":running", running.toString(),
                ":failed", job(db, owner, "failed").toString(), ":done", done.toString(), ":image", image.toString());
        db.execute("insert into imagen.job_progress (job_id, step, steps) values ('" + running + "', 1, 2)", named("""
                insert into imagen.usage (job_id, owner_user_id, backend, model, outcome, duration_ms)
                values (':done', ':owner', 'mock', 'm', 'done', 1)""", names),
                named("insert into imagen.thumbnails (image_id, jpeg) values (':image', 'x')", names),
                named("insert into imagen.job_attempts (job_id, attempt, outcome) values (':done', 1, 'done')", names),
                named("""
                        insert into imagen.api_keys (name, role, owner_user_id, key_hash)
                        values ('k', 'authenticated', ':owner', sha256(':owner'))""", names), named("""
                        insert into imagen.tickets (ticket_hash, role, claims, owner_user_id, expires_at)
                        values (sha256(':owner'), 'authenticated', '{}', ':owner', now() + interval '1 minute')""",
                        names));
        return names;
    }

    private static UUID job(TestDatabase db, UUID owner, String status) throws SQLException {
        return (UUID) db.row(JOB, owner, status).get("id");
    }

    /** The statement with these names in it. */
    static String named(String sql, Map<String, String> names) {
        var said = sql;
        for (var name : names.entrySet()) {
            said = said.replace(name.getKey(), name.getValue());
        }
        return said;
    }
}
