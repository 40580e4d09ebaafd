package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.database.Postgrest.Answer;
import dev.imagen.database.Postgrest.Request;
import dev.imagen.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The calls of supabase-js in {@code docs/supabase.md}: the requests that supabase-js 2.109 was seen to make for them,
 * by the statements that PostgREST makes of those.
 */
@Tag("postgres")
class PostgrestTest {

    private static final String ANON = "{\"role\":\"anon\",\"iss\":\"supabase\"}";
    private static final String SERVICE = "{\"role\":\"service_role\",\"iss\":\"supabase\"}";
    private static final String A_CAT = "{\"prompt\":\"a cat\"}";

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    @RegisterExtension
    static final TestDatabase GRANTED = TestDatabase.grantedToAll();

    private static Postgrest postgrest;

    private final UUID alice = UUID.randomUUID();
    private final UUID bob = UUID.randomUUID();

    @BeforeAll
    static void connect() throws SQLException {
        postgrest = new Postgrest(DB);
    }

    @AfterEach
    void unlimited() throws SQLException {
        DB.execute("update imagen.limits set pending_per_owner = null");
    }

    // from('jobs').insert

    /** {@code .insert({ prompt, style }).select('id, status, owner_user_id').single()}. */
    @Test
    void an_insert_gives_back_the_columns_that_were_asked_for() throws SQLException {
        var answer = as(alice, inserted("{\"prompt\":\"a lighthouse\",\"style\":\"ink\"}").one());
        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.body().path("status").asText()).isEqualTo("pending");
        assertThat(answer.body().path("owner_user_id").asText()).isEqualTo(alice.toString());
        assertThat(DB.job(id(answer.body()))).containsEntry("prompt", "a lighthouse").containsEntry("style", "ink");
    }

    /** {@code .insert({ prompt })}. */
    @Test
    void an_insert_that_asks_for_nothing_gets_nothing_back() throws SQLException {
        assertThat(as(alice, Request.post("/jobs", A_CAT)).status()).isEqualTo(201);
        assertThat(as(alice, Request.get("/jobs")).body()).hasSize(1);
    }

    /**
     * {@code .insert([{ … }, { … }], { defaultToNull: false })}: a column that only one row has is the other's default.
     */
    @Test
    void rows_with_different_columns_need_the_defaults() throws SQLException {
        var two = new Request("POST", "/jobs?columns=%22prompt%22,%22priority%22,%22run_at%22&select=id,priority",
                "[{\"prompt\":\"a\",\"priority\":-1},{\"prompt\":\"b\",\"run_at\":\"2030-01-01T00:00:00Z\"}]",
                "return=representation", false);
        var nulls = as(alice, two);
        assertThat(nulls.status()).isEqualTo(403);
        assertThat(nulls.message()).contains("row-level security");
        var answer = as(alice, two.prefer("missing=default, return=representation"));
        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.body()).extracting(row -> row.path("priority").asInt()).containsExactly(-1, 0);
    }

    /** {@code .upsert({ id, prompt }, { onConflict: 'id', ignoreDuplicates: true })}. */
    @Test
    void an_insert_with_an_id_of_ones_own_can_be_repeated() throws SQLException {
        var again = new Request("POST", "/jobs?on_conflict=id&select=id",
                "{\"id\":\"" + UUID.randomUUID() + "\",\"prompt\":\"a cat\"}",
                "resolution=ignore-duplicates, return=representation", false);
        assertThat(as(alice, again).body()).hasSize(1);
        var second = as(alice, again);
        assertThat(second.status()).isEqualTo(201);
        assertThat(second.body()).isEmpty();
        assertThat(as(alice, Request.get("/jobs")).body()).hasSize(1);
    }

    @Test
    void the_same_idempotency_key_twice_is_409() throws SQLException {
        var keyed = inserted("{\"prompt\":\"a cat\",\"idempotency_key\":\"k\"}");
        assertThat(as(alice, keyed).status()).isEqualTo(201);
        var second = as(alice, keyed);
        assertThat(second.status()).isEqualTo(409);
        assertThat(second.code()).isEqualTo("23505");
        assertThat(second.message()).contains("jobs_idempotency_key");
    }

    @Test
    void a_value_out_of_its_limits_is_400_and_names_the_constraint() throws SQLException {
        var answer = as(alice, inserted("{\"prompt\":\"a cat\",\"width\":5}"));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.code()).isEqualTo("23514");
        assertThat(answer.message())
                .isEqualTo("new row for relation \"jobs\" violates check constraint \"jobs_width_range\"");
    }

    @Test
    void more_pending_jobs_than_the_limit_is_429_and_says_what_to_do() throws SQLException {
        DB.execute("update imagen.limits set pending_per_owner = 1");
        assertThat(as(alice, inserted(A_CAT)).status()).isEqualTo(201);
        var answer = as(alice, inserted(A_CAT));
        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.code()).isEqualTo("PT429");
        assertThat(answer.message()).isEqualTo("too many pending jobs: an owner may have 1 at a time");
        assertThat(answer.body().path("hint").asText()).isEqualTo("Wait until some have run, or cancel some.");
        assertThat(as(bob, inserted(A_CAT)).status()).isEqualTo(201);
    }

    @Test
    void a_job_without_a_prompt_is_400() throws SQLException {
        var answer = as(alice, inserted("{\"style\":\"ink\"}"));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.code()).isEqualTo("23502");
        assertThat(answer.message()).contains("prompt");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"prompt\":\"a\",\"status\":\"done\"}", "{\"prompt\":\"a\",\"priority\":1}",
            "{\"prompt\":\"a\",\"owner_user_id\":\"00000000-0000-4000-8000-00000000000b\"}"})
    void a_forged_row_is_403(String row) throws SQLException {
        var answer = as(alice, inserted(row));
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.code()).isEqualTo("42501");
        assertThat(as(alice, Request.get("/jobs")).body()).isEmpty();
    }

    // from('jobs').select

    /** {@code .select('id, prompt').order('created_at', { ascending: false }).order('id', …).limit(2)}. */
    @Test
    void an_owner_selects_their_own_jobs_newest_first() throws SQLException {
        as(bob, inserted("{\"prompt\":\"bob's\"}"));
        for (var prompt : List.of("first", "second", "third")) {
            as(alice, inserted("{\"prompt\":\"" + prompt + "\"}"));
        }
        var answer = as(alice, Request.get("/jobs?select=id,prompt&order=created_at.desc,id.desc&limit=2"));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).extracting(job -> job.path("prompt").asText()).containsExactly("third", "second");
        assertThat(as(alice, Request.get("/jobs?select=id&status=in.(pending,running)")).body()).hasSize(3);
    }

    /** {@code .select('id').eq('id', id).single()}. */
    @Test
    void another_owners_job_is_as_if_it_were_not_there() throws SQLException {
        var foreign = DB.insertJob(bob);
        assertThat(as(alice, Request.get("/jobs?select=id&id=eq." + foreign)).body()).isEmpty();
        var one = as(alice, Request.get("/jobs?select=id&id=eq." + foreign).one());
        assertThat(one.status()).isEqualTo(406);
        assertThat(one.code()).isEqualTo("PGRST116");
    }

    /** {@code from('job_progress').select('step, steps').eq('job_id', id)}, and the same of other tables. */
    @ParameterizedTest
    @CsvSource({"job_progress,running", "job_attempts,done", "images,done", "usage,done"})
    void an_owner_selects_what_became_of_their_jobs(String table, String status) throws SQLException {
        var rows = TwoOwners.in(DB);
        DB.execute("delete from imagen.pauses");
        var mine = UUID.fromString(rows.alice().get(":owner"));
        var path = "/" + table + "?select=job_id&job_id=eq.";
        assertThat(as(mine, Request.get(path + rows.alice().get(":" + status))).body()).hasSize(1);
        assertThat(as(mine, Request.get(path + rows.bob().get(":" + status))).body()).isEmpty();
        assertThat(as(mine, Request.get("/" + table + "?select=job_id")).body()).hasSize(1);
    }

    /** {@code .update({ … }).eq('id', id)} and {@code .delete().eq('id', id)}: the functions are for that. */
    @Test
    void an_owner_updates_and_deletes_no_row() throws SQLException {
        var job = DB.insertJob(alice);
        for (var method : List.of("PATCH", "DELETE")) {
            var answer = as(alice,
                    new Request(method, "/jobs?id=eq." + job, method.equals("PATCH") ? A_CAT : "", "", false));
            assertThat(answer.status()).as(method).isEqualTo(403);
            assertThat(answer.message()).isEqualTo("permission denied for table jobs");
        }
    }

    // rpc

    /** {@code rpc('cancel_job', { job_id })}, and {@code rpc('retry_job', …).select('id, status').single()}. */
    @Test
    void an_owner_cancels_and_retries_their_job() throws SQLException {
        var job = DB.insertJob(alice);
        var cancelled = as(alice, rpc("cancel_job", "job_id", job));
        assertThat(cancelled.status()).isEqualTo(200);
        assertThat(id(cancelled.body())).isEqualTo(job);
        assertThat(cancelled.body().path("status").asText()).isEqualTo("cancelled");

        var retried = as(alice, Request.post("/rpc/retry_job?select=id,status", "{\"job_id\":\"" + job + "\"}").one());
        assertThat(retried.body().toString()).isEqualTo("{\"id\":\"" + job + "\",\"status\":\"pending\"}");
        var again = as(alice, rpc("retry_job", "job_id", job));
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.code()).isEqualTo("PT409");
        assertThat(again.message()).isEqualTo("the job is pending: only a failed or cancelled job can be retried");
    }

    /** {@code rpc('delete_image', { image_id })}, {@code rpc('restore_image', { image_id })}. */
    @Test
    void an_owner_deletes_and_restores_their_image() throws SQLException {
        var rows = TwoOwners.in(DB);
        DB.execute("delete from imagen.pauses");
        var mine = UUID.fromString(rows.alice().get(":owner"));
        var image = UUID.fromString(rows.alice().get(":image"));
        assertThat(as(mine, rpc("delete_image", "image_id", image)).body().path("deleted_at").isNull()).isFalse();
        assertThat(as(mine, Request.get("/images?select=id")).body()).isEmpty();
        assertThat(as(mine, rpc("restore_image", "image_id", image)).body().path("deleted_at").isNull()).isTrue();
        assertThat(as(mine, Request.get("/images?select=id")).body()).hasSize(1);

        DB.execute("update imagen.images set deleted_at = now() - interval '301 seconds' where id = '" + image + "'");
        var late = as(mine, rpc("restore_image", "image_id", image));
        assertThat(late.status()).isEqualTo(409);
        assertThat(late.message()).contains("deleted more than 5 minutes ago");
    }

    @ParameterizedTest
    @CsvSource({"cancel_job,job_id,no such job", "retry_job,job_id,no such job", "delete_image,image_id,no such image",
            "restore_image,image_id,no such image"})
    void what_is_anothers_and_what_is_unknown_are_the_same_404(String function, String argument, String message)
            throws SQLException {
        var rows = TwoOwners.in(DB);
        DB.execute("delete from imagen.pauses");
        var foreign = UUID.fromString(rows.bob().get(argument.equals("job_id") ? ":failed" : ":image"));
        for (var id : List.of(foreign, UUID.randomUUID())) {
            var answer = as(alice, rpc(function, argument, id));
            assertThat(answer.status()).isEqualTo(404);
            assertThat(answer.body().toString())
                    .isEqualTo("{\"code\":\"PT404\",\"message\":\"" + message + "\",\"details\":null,\"hint\":null}");
        }
    }

    /** {@code rpc('job_position', { job_id })}, and with {@code { get: true }}. */
    @Test
    void a_place_in_line_is_a_number() throws SQLException {
        var job = DB.insertJob(alice);
        assertThat(as(alice, rpc("job_position", "job_id", job)).body().asLong()).isPositive();
        var path = "/rpc/job_position?job_id=" + job;
        assertThat(as(alice, Request.get(path)).body().asLong()).isPositive();
        assertThat(as(bob, Request.get(path)).body().isNull()).isTrue();
    }

    /** {@code rpc('cancel_job', { job_id }, { get: true })}. */
    @Test
    void a_function_that_changes_something_is_not_called_by_get() throws SQLException {
        var answer = as(alice, Request.get("/rpc/cancel_job?job_id=" + DB.insertJob(alice)));
        assertThat(answer.status()).isEqualTo(405);
    }

    // The keys

    @Test
    void the_public_key_alone_is_401_everywhere() throws SQLException {
        for (var request : List.of(Request.get("/jobs"), inserted(A_CAT),
                rpc("cancel_job", "job_id", DB.insertJob(alice)))) {
            var answer = postgrest.send(ANON, request);
            assertThat(answer.status()).as(request.path()).isEqualTo(401);
            assertThat(answer.message()).isEqualTo("permission denied for schema imagen");
        }
    }

    @Test
    void the_service_key_inserts_for_an_owner_and_pauses() throws SQLException {
        var row = "{\"prompt\":\"a cat\",\"owner_user_id\":\"" + alice + "\",\"priority\":5}";
        assertThat(postgrest.send(SERVICE, inserted(row)).status()).isEqualTo(201);
        assertThat(as(alice, Request.get("/jobs?select=priority")).body().toString()).isEqualTo("[{\"priority\":5}]");
        assertThat(postgrest.send(SERVICE, inserted(A_CAT)).code()).as("nobody's job").isEqualTo("23502");

        assertThat(postgrest.send(SERVICE, Request.post("/rpc/pause", "{\"backend\":\"mock\"}")).body()).hasSize(1);
        assertThat(postgrest.send(SERVICE, Request.post("/rpc/resume", "{}")).body()).isEmpty();
        assertThat(as(alice, Request.post("/rpc/pause", "{}")).status()).isEqualTo(403);
    }

    /** The statements of docs/supabase.md that take back what the guide to custom schemas grants. */
    @Test
    void what_was_granted_to_all_can_be_taken_back() throws Exception {
        var granted = new Postgrest(GRANTED);
        assertThat(granted.send(ANON, Request.get("/jobs")).body()).isEmpty();
        var document = Files.readString(Path.of("docs/supabase.md"));
        int beginning = document.indexOf("revoke usage on schema imagen");
        GRANTED.execute(document.substring(beginning, document.indexOf("```", beginning)));
        assertThat(granted.send(ANON, Request.get("/jobs")).status()).isEqualTo(401);
        assertThat(granted.send(Caller.owner(alice).claims(), inserted(A_CAT)).status()).isEqualTo(201);
        assertThat(GRANTED.rows("select from pg_default_acl")).isEmpty();
        assertThat(GRANTED.rows("""
                select relname from pg_class where relnamespace = 'imagen'::regnamespace and relkind = 'r'
                   and (has_table_privilege('authenticated', oid, 'truncate, references, trigger')
                        or has_table_privilege('anon', oid, 'select, insert, update, delete'))""")).isEmpty();
    }

    // Realtime

    /** Realtime looks a changed row up by its key, as the subscriber's role with the subscriber's claims. */
    @Test
    void a_change_is_visible_to_its_owner_alone() throws SQLException {
        var job = DB.insertJob(alice);
        for (var owner : List.of(alice, bob)) {
            try (Connection connection = DB.as(owner); var statement = connection.createStatement()) {
                var seen = statement.executeQuery("select from imagen.jobs where id = '" + job + "'").next();
                assertThat(seen).isEqualTo(owner.equals(alice));
            }
        }
    }

    private static Answer as(UUID owner, Request request) throws SQLException {
        return postgrest.send(Caller.owner(owner).claims(), request);
    }

    private static Request inserted(String row) {
        return Request.post("/jobs?select=id,status,owner_user_id", row).prefer("return=representation");
    }

    private static Request rpc(String function, String argument, UUID id) {
        return Request.post("/rpc/" + function, "{\"" + argument + "\":\"" + id + "\"}");
    }

    private static UUID id(JsonNode row) {
        return UUID.fromString(row.path("id").asText());
    }
}
