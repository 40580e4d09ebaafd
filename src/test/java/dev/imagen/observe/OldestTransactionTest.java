package dev.imagen.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Database;
import dev.imagen.database.Migrations;
import dev.imagen.testing.TestServer;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Read with the service's login, which may see no other login's sessions by itself, on a server that has replication
 * slots and prepared transactions.
 */
@Tag("postgres")
class OldestTransactionTest {

    private static EmbeddedPostgres server;
    private static Database database;

    @BeforeAll
    static void start() throws SQLException {
        server = TestServer.another(Map.of("max_prepared_transactions", "1", "wal_level", "logical"));
        execute("postgres", "create role limited_owner login", "create role service login",
                "create role limited_service login", "create role anon", "create role authenticated",
                "create role service_role",
                "grant anon, authenticated, service_role to limited_owner with admin option", "create database ours",
                "create database limited owner limited_owner");
        database = migrated("ours", "postgres", "service");
    }

    @AfterAll
    static void stop() throws IOException {
        database.close();
        server.close();
    }

    @Test
    void a_database_where_nobody_is_in_a_transaction_has_none() {
        assertThat(read()).isEqualTo(new OldestTransaction(0, 0));
    }

    @Test
    void an_open_transaction_of_another_login_shows_until_it_ends() throws SQLException {
        try (Connection open = begin("ours", "select")) {
            assertThat(read().seconds()).isBetween(0.000001, 600.0);
            open.rollback();
            assertThat(read().seconds()).isZero();
        }
    }

    @Test
    void an_open_transaction_of_another_database_holds_back_nothing_here() throws SQLException {
        try (Connection _ = begin("postgres", "select pg_current_xact_id()")) {
            assertThat(read()).isEqualTo(new OldestTransaction(0, 0));
        }
    }

    @Test
    void a_snapshot_ages_with_each_transaction_after_it() throws SQLException {
        try (Connection _ = begin("ours", "set transaction isolation level repeatable read",
                "select from imagen.jobs")) {
            assertAges(database);
        }
    }

    @Test
    void a_transaction_that_wrote_and_waits_ages_with_each_transaction_after_it() throws SQLException {
        try (Connection _ = begin("ours", "select pg_current_xact_id()")) {
            assertAges(database);
        }
    }

    @Test
    void a_prepared_transaction_shows_and_ages_although_it_has_no_session() throws SQLException {
        execute("ours", "begin", "select pg_current_xact_id()", "prepare transaction 'forgotten'");
        try {
            assertThat(read().seconds()).isPositive();
            assertAges(database);
        } finally {
            execute("ours", "rollback prepared 'forgotten'");
        }
    }

    @Test
    void a_replication_slot_ages_with_each_transaction_after_it() throws SQLException {
        execute("ours", "select pg_create_logical_replication_slot('forgotten', 'pgoutput')");
        try {
            assertAges(database);
        } finally {
            execute("ours", "select pg_drop_replication_slot('forgotten')");
        }
    }

    @Test
    void where_the_schemas_owner_may_not_see_the_time_the_age_still_shows() throws SQLException {
        try (Database limited = migrated("limited", "limited_owner", "limited_service");
                Connection _ = begin("limited", "select pg_current_xact_id()")) {
            assertThat(OldestTransaction.read(limited).seconds()).isZero();
            assertAges(limited);
            execute("limited", "grant pg_read_all_stats to limited_owner");
            assertThat(OldestTransaction.read(limited).seconds()).isPositive();
        }
    }

    private static void assertAges(Database read) throws SQLException {
        long before = OldestTransaction.read(read).xminAge();
        for (int i = 0; i < 5; i++) {
            execute("postgres", "select pg_current_xact_id()");
        }
        assertThat(OldestTransaction.read(read).xminAge()).isBetween(before + 5, before + 1000);
    }

    private static OldestTransaction read() {
        return OldestTransaction.read(database);
    }

    private static Database migrated(String name, String owner, String service) {
        DatabaseSettings settings = SettingsLoader.load(Map.of("imagen.home", "target/no-home")).database()
                .at(new Login(url(name), service, ""), new Login(url(name), owner, ""));
        new Migrations(settings).run();
        return new Database(settings);
    }

    /**
     * A transaction of the superuser's that stays open, by the simple protocol: the extended one keeps the last
     * statement's snapshot.
     */
    private static Connection begin(String name, String... statements) throws SQLException {
        var connection = DriverManager.getConnection(url(name) + "?preferQueryMode=simple", "postgres", "");
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
        return connection;
    }

    private static void execute(String name, String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url(name), "postgres", "");
                var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static String url(String name) {
        return "jdbc:postgresql://127.0.0.1:" + server.getPort() + "/" + name;
    }
}
