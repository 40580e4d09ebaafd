package dev.imagen.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import dev.imagen.database.Migrations;
import dev.imagen.database.TableRows;
import dev.imagen.storage.FileImageStore;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** All that a service has, exported while it runs, and imported elsewhere. */
class ArchiveTest {

    @RegisterExtension
    static final TestDatabase FROM = new TestDatabase();

    private static final UUID OWNER = UUID.randomUUID();
    private static final Duration LONGEST = Duration.ofMinutes(1);

    @TempDir
    private static Path folder;

    private static Path images;
    private static Path file;
    private static Export.Exported exported;

    @BeforeAll
    static void export() throws Exception {
        images = folder.resolve("images");
        file = folder.resolve("all.zip");
        try (var service = TestService.on(FROM).owner(OWNER).start()) {
            for (int i = 0; i < 3; i++) {
                FROM.insertJob(OWNER);
            }
            await().atMost(LONGEST).until(() -> count("jobs where status = 'done'") == 3);
            Files.move(service.images(), images, StandardCopyOption.REPLACE_EXISTING);
            Files.createDirectories(service.images());
        }
        FROM.execute(
                "insert into imagen.jobs (owner_user_id, prompt, run_at, params) values ('" + OWNER
                        + "', E'of \"quotes\",\\nlines and ''''', '2100-01-01', '{\"seed\": 12345678901234567890}')",
                "insert into imagen.jobs (owner_user_id, prompt, status, attempt, worker_id, started_at, version) values ('"
                        + OWNER + "', 'of a process that is gone', 'running', 3, gen_random_uuid(), now(), 17)",
                "insert into imagen.api_keys (name, role, owner_user_id, key_hash) values ('ci', 'authenticated', '"
                        + OWNER + "', '\\x0102')",
                // What no insert may ask for.
                "update imagen.jobs set run_at = created_at - interval '1 day' where status = 'done'",
                "update imagen.limits set pending_per_owner = 1", "insert into imagen.pauses (backend) values ('flux')",
                "insert into imagen.images (owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256)"
                        + " values ('" + OWNER + "', 'file', 'gone.png', 'image/png', 1, 1, 1, '\\x01'), ('" + OWNER
                        + "', 'a-bucket', 'there.png', 'image/png', 1, 1, 1, '\\x01')");
        exported = new Export(FROM.settings(), new FileImageStore(images)).run(file);
    }

    private static long count(String what) throws SQLException {
        return (long) FROM.row("select count(*) as n from imagen." + what).get("n");
    }

    private static Import into(TestDatabase database, Path folder) {
        return new Import(database.settings(), new FileImageStore(folder));
    }

    @Test
    @Tag("postgres")
    void an_empty_database_gets_every_row_and_file_as_it_was_and_unfinished_jobs_get_done(@TempDir Path home)
            throws Exception {
        var to = TestDatabase.empty();
        try {
            var imported = into(to, home).run(file);
            assertThat(imported).isEqualTo(new Import.Imported(exported.rows(), 3));
            assertThat(Contents.rows(to)).isEqualTo(Contents.rows(FROM)).allSatisfy(
                    (table, rows) -> assertThat(rows.isEmpty()).as(table).isEqualTo(table.equals("queue_samples")));
            assertThat(Contents.files(home)).hasSize(3).isEqualTo(Contents.files(images));
            assertGuardsStand(to);
            assertThatIllegalArgumentException().isThrownBy(() -> into(to, home).run(file))
                    .withMessageContaining("has rows already: import into an empty database");
            assertUnfinishedGetDone(to);
        } finally {
            to.close();
        }
    }

    private static void assertGuardsStand(TestDatabase to) throws SQLException {
        assertThat(to.rows("select from pg_trigger where tgrelid = 'imagen.jobs'::regclass and tgenabled <> 'O'"))
                .isEmpty();
        assertThat(to.row("select condeferrable from pg_constraint where conname = 'jobs_image_id_fkey'"))
                .containsEntry("condeferrable", false);
        assertThat(to.row("select count(*) as n from imagen.upkeep")).containsEntry("n", 1L);
    }

    private static void assertUnfinishedGetDone(TestDatabase to) throws SQLException {
        try (var _ = TestService.on(to).owner(OWNER).start()) {
            await().atMost(LONGEST)
                    .until(() -> to
                            .rows("select from imagen.jobs where status = 'done' and attempt = 4 and failures = 1")
                            .size() == 1);
            assertThat(to.rows("select from imagen.jobs where status = 'pending'")).hasSize(1);
        }
    }

    @Test
    void a_file_that_is_not_there_is_told_of_and_images_of_remote_stores_stay_there() throws IOException {
        assertThat(exported.missing()).containsExactly("gone.png");
        assertThat(exported.images()).isEqualTo(3);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
    }

    @Test
    void an_export_overwrites_no_file() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Export(FROM.settings(), new FileImageStore(images)).run(file))
                .withMessageContaining("name a new file");
        assertThat(file).isNotEmptyFile();
    }

    @Test
    void the_services_login_is_told_whose_it_takes_and_leaves_no_file() {
        var service = FROM.settings().service();
        var refused = folder.resolve("refused.zip");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> new Export(FROM.settings().at(service, service), new FileImageStore(images)).run(refused))
                .withMessageContaining("does not see every row").withMessageContaining("DB_MIGRATION_…");
        assertThat(refused).doesNotExist();
    }

    @Test
    void every_table_is_carried_or_left_out_on_purpose() throws SQLException {
        assertThat(FROM.tables()).containsExactlyInAnyOrderElementsOf(
                Stream.of(Archive.TABLES, Archive.LEFT_OUT).flatMap(List::stream).toList());
    }

    @Test
    void an_archive_of_an_earlier_schema_goes_into_one_and_is_brought_up_to_date() throws Exception {
        var from = TestDatabase.empty();
        var to = TestDatabase.empty();
        try {
            new Migrations(from.settings()).run(19);
            var job = from.insertJob(OWNER);
            var early = folder.resolve("early.zip");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new Export(from.settings(), new FileImageStore(images)).run(early))
                    .withMessageContaining("imagen migrate first");
            assertThat(early).doesNotExist();
            exportEarly(from, early);
            into(to, folder.resolve("none")).run(early);
            assertThat(to.job(job)).containsEntry("status", "pending");
            assertThat(new Migrations(to.settings()).run()).isZero();
            assertThatIllegalArgumentException().isThrownBy(() -> into(to, folder).run(early))
                    .withMessageContaining("without a schema imagen");
        } finally {
            from.close();
            to.close();
        }
    }

    /** As the program of that schema did. */
    private static void exportEarly(TestDatabase from, Path early) throws IOException {
        try (var rows = TableRows.read(from.settings()); var zip = manifest(early, 19)) {
            // As of an archive that was unpacked and packed again.
            zip.putNextEntry(new ZipEntry("tables/"));
            zip.putNextEntry(new ZipEntry(Archive.IMAGES));
            zip.putNextEntry(new ZipEntry(Archive.IMAGES + "2026/"));
            zip.putNextEntry(new ZipEntry(Archive.entry("jobs")));
            var jobs = new ByteArrayOutputStream();
            rows.copyOut("jobs", jobs);
            zip.write(jobs.toByteArray());
        }
    }

    private static ZipOutputStream manifest(Path file, Object schema) throws IOException {
        var zip = new ZipOutputStream(Files.newOutputStream(file));
        zip.putNextEntry(new ZipEntry(Archive.MANIFEST));
        zip.write(("format=1\nschema=" + schema).getBytes(StandardCharsets.UTF_8));
        return zip;
    }

    @Test
    void what_is_no_whole_archive_or_is_of_a_newer_schema_is_refused(@TempDir Path home) throws Exception {
        var half = Files.write(home.resolve("half.zip"), Arrays.copyOf(Files.readAllBytes(file), 2000));
        assertThatIllegalArgumentException().isThrownBy(() -> into(FROM, home).run(half))
                .withMessageContaining("half.zip is no whole file of imagen export");
        assertThatIllegalArgumentException().isThrownBy(() -> into(FROM, home).run(home.resolve("none.zip")))
                .withMessageContaining("there is no file");
        var newer = home.resolve("newer.zip");
        manifest(newer, 9999).close();
        assertThatIllegalArgumentException().isThrownBy(() -> into(FROM, home).run(newer))
                .withMessageContaining("newer version of ImaGen (9999");
        for (String schema : List.of("", "abc", "-1", "99999999999")) {
            var damaged = home.resolve("damaged.zip");
            manifest(damaged, schema).close();
            assertThatIllegalArgumentException().isThrownBy(() -> into(FROM, home).run(damaged)).withMessageEndingWith(
                    "the line schema= of its imagen.properties must have the number of a version and has \"" + schema
                            + "\"");
        }
    }
}
