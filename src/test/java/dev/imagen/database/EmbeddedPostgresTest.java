package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.config.Login;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedPostgresTest {

    @TempDir
    private Path home;

    @Test
    void the_server_is_durable_and_closed_to_others_and_keeps_its_data() throws Exception {
        try (var embedded = EmbeddedPostgres.start(home)) {
            for (String setting : EmbeddedPostgres.durableSettings()) {
                assertThat(ask(embedded.logins().service(), "show " + setting)).as(setting).isEqualTo("on");
            }
            assertThat(ask(embedded.logins().service(), "show server_version")).startsWith("18.");
            assertThat(ask(embedded.logins().service(), "show listen_addresses")).isEqualTo("127.0.0.1");
            assertThat(ask(embedded.logins().service(), "select usesuper from pg_user where usename = current_user"))
                    .isEqualTo("f");
            refusesWrongPassword(embedded.logins().owner());
            runsOnlyOnceOnAFolder();
            run(embedded.logins().owner(), "create table kept as select 42 as answer; grant select on kept to public");
            assertThat(EmbeddedPostgres.running(home)).isPresent();
        }
        assertThat(EmbeddedPostgres.running(home)).isEmpty();
        try (var again = EmbeddedPostgres.start(home)) {
            assertThat(ask(again.logins().service(), "select answer from kept")).isEqualTo("42");
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("postgres"))))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("postgres/pgpass"))))
                .isEqualTo("rw-------");
        assertThat(home.resolve("postgres/initial-password")).doesNotExist();
    }

    private static void refusesWrongPassword(Login login) {
        assertThatThrownBy(() -> ask(new Login(login.url(), login.username(), "wrong"), "select 1"))
                .isInstanceOf(SQLException.class).hasMessageContaining("password authentication failed");
    }

    private void runsOnlyOnceOnAFolder() {
        assertThatThrownBy(() -> EmbeddedPostgres.start(home)).isInstanceOf(EmbeddedPostgresException.class)
                .hasMessageContaining("another imagen process uses").hasMessageContaining("IMAGEN_HOME");
    }

    @Test
    void a_lock_file_and_a_postmaster_pid_that_a_crash_left_do_not_block_the_start() throws Exception {
        try (var embedded = EmbeddedPostgres.start(home)) {
            assertThat(ask(embedded.logins().service(), "select 1")).isEqualTo("1");
        }
        // A pid that is somebody else's by now: this very process.
        Files.writeString(home.resolve("postgres/data/postmaster.pid"),
                ProcessHandle.current().pid() + "\n" + home + "\n1\n5432\n\n127.0.0.1\n\n");
        assertThat(home.resolve("postgres/lock")).exists();
        try (var again = EmbeddedPostgres.start(home)) {
            assertThat(ask(again.logins().service(), "select 1")).isEqualTo("1");
        }
        assertThat(ProcessHandle.current().isAlive()).isTrue();
    }

    @Test
    void data_of_another_major_version_are_left_alone_and_the_error_says_how_to_move_them() throws Exception {
        var version = Files.createDirectories(home.resolve("postgres/data")).resolve("PG_VERSION");
        Files.writeString(version, "17\n");
        assertThatThrownBy(() -> EmbeddedPostgres.start(home)).isInstanceOf(EmbeddedPostgresException.class)
                .hasMessageContaining("were written by PostgreSQL 17, and this version of ImaGen brings PostgreSQL 18")
                .hasMessageContaining("imagen export FILE").hasMessageContaining("imagen import FILE");
        assertThat(version.getParent()).isDirectoryNotContaining(file -> !file.equals(version));
        assertThat(EmbeddedPostgres.running(home)).isEmpty();
    }

    @Test
    void a_folder_that_cannot_be_used_is_named() throws Exception {
        Files.writeString(home.resolve("postgres"), "a file, not a folder");
        assertThatThrownBy(() -> EmbeddedPostgres.start(home)).isInstanceOf(EmbeddedPostgresException.class)
                .hasMessageContaining(home.resolve("postgres").toString()).hasMessageContaining("IMAGEN_HOME");
    }

    private static String ask(Login login, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(login.url(), login.username(), login.password());
                var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    private static void run(Login login, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(login.url(), login.username(), login.password());
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
