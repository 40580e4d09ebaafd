package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a process that does not migrate waits for. */
@Tag("postgres")
class SchemaVersionTest {

    @Test
    void this_program_needs_its_newest_migration() throws SQLException {
        withEmpty(empty -> assertThat(new Migrations(empty.settings()).latest()).isEqualTo(SchemaVersion.NEEDED));
    }

    @Test
    void a_schema_of_this_version_will_do() throws SQLException {
        withEmpty(empty -> {
            new Migrations(empty.settings()).run();
            assertThatCode(() -> SchemaVersion.check(empty.database())).doesNotThrowAnyException();
        });
    }

    @Test
    void no_schema_will_not() throws SQLException {
        withEmpty(empty -> assertRefused(empty, 0));
    }

    @Test
    void one_from_before_it_could_tell_will_not() throws SQLException {
        withEmpty(empty -> {
            new Migrations(empty.settings()).run(22);
            assertRefused(empty, 0);
        });
    }

    @Test
    void an_older_one_will_not() throws SQLException {
        withEmpty(empty -> {
            new Migrations(empty.settings()).run();
            empty.execute("update imagen.flyway_schema_history set success = false where version = '"
                    + SchemaVersion.NEEDED + "'");
            assertRefused(empty, SchemaVersion.NEEDED - 1);
        });
    }

    private static void assertRefused(TestDatabase empty, int present) {
        assertThatExceptionOfType(DatabaseException.class).isThrownBy(() -> SchemaVersion.check(empty.database()))
                .withMessageContaining("has version " + present).withMessageContaining("imagen migrate");
    }

    /** What a test does with a database without the schema. */
    private interface Use {
        void of(TestDatabase empty) throws SQLException;
    }

    private static void withEmpty(Use use) throws SQLException {
        var empty = TestDatabase.empty();
        try {
            use.of(empty);
        } finally {
            empty.close();
        }
    }
}
