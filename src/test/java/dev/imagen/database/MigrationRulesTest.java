package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Former processes go on while the schema is migrated, and afterwards until they are replaced: docs/contributing.md.
 */
class MigrationRulesTest {

    /** Those before came before anybody had rows. */
    private static final int FIRST = 21;

    /** What a file does all the same: its number, and in the file a comment that says why it may. */
    private static final Map<Integer, Set<Form>> ALLOWED = Map.of();

    /** Tables that grow without end. */
    private static final String BIG = "imagen\\.(jobs|images|usage|job_attempts)\\b";

    private static final Pattern COMMENT = Pattern.compile("--[^\\n]*");
    private static final Pattern BODY = Pattern.compile("\\$(\\w*)\\$.*?\\$\\1\\$", Pattern.DOTALL);
    private static final Pattern CHECKED = Pattern.compile("add constraint \\w+ (check|foreign key)");
    private static final Pattern NOT_CHECKED_YET = Pattern.compile("not valid");

    /** What former processes do not survive, or what takes long under a lock. */
    enum Form {
        /** Former processes name it: contract in the next release. */
        DROP("(.* )?drop (table|column|function|view|type|schema)\\b.*"),
        /** As DROP. */
        RENAME(".* rename .*"),
        /** Rewrites the table. */
        TYPE(".* alter column \\w+ (set data )?type .*"),
        /** Former processes do not fill it in; and it reads the whole table. */
        NOT_NULL(".*(set not null|add column (?!.* default )[^,]* not null).*"),
        /** No writer until it is made. */
        INDEX("create (unique )?index (?!concurrently).* on (only )?" + BIG + ".*|alter table " + BIG
                + ".* add constraint \\w+ (unique|primary key|exclude)(?! using index).*"),
        /** Reads the whole table under a lock; {@code not valid}, then {@code validate constraint} in another file. */
        CONSTRAINT("alter table " + BIG + ".*(add constraint|add column [^,]*(references|check \\()).*"),
        /** All rows at once: do it in batches, in a release after the one that writes both. */
        ALL_ROWS("(update|delete from|truncate( table)?|lock( table)?|cluster|vacuum full) (only )?" + BIG + ".*");

        private final Pattern pattern;

        Form(String pattern) {
            this.pattern = Pattern.compile(pattern);
        }

        boolean in(String statement) {
            return pattern.matcher(statement).matches() && !(this == CONSTRAINT && onlyLater(statement));
        }

        private static boolean onlyLater(String statement) {
            return CHECKED.matcher(statement).results().count() == NOT_CHECKED_YET.matcher(statement).results().count()
                    && !statement.matches(".*add column [^,]*(references|check \\().*");
        }
    }

    static Stream<Arguments> files() throws IOException {
        try (var files = Files.list(Path.of("sql"))) {
            return files.filter(file -> file.toString().endsWith(".sql")).map(file -> Arguments.of(number(file), file))
                    .filter(file -> (int) file.get()[0] >= FIRST).toList().stream();
        }
    }

    private static int number(Path file) {
        return Integer.parseInt(file.getFileName().toString().replaceFirst("V(\\d+)__.*", "$1"));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("files")
    void a_migration_does_nothing_that_former_processes_do_not_survive(int number, Path file) throws IOException {
        assertThat(forms(Files.readString(file))).as(file + " does it: see Rules in docs/contributing.md")
                .isEqualTo(ALLOWED.getOrDefault(number, Set.of()));
    }

    private static Set<Form> forms(String sql) {
        return statements(sql).flatMap(statement -> Arrays.stream(Form.values()).filter(form -> form.in(statement)))
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Form.class)));
    }

    /** Without comments and bodies of functions, each in one line of small letters. */
    private static Stream<String> statements(String sql) {
        var bare = BODY.matcher(COMMENT.matcher(sql).replaceAll("")).replaceAll("''");
        return Stream.of(bare.split(";")).map(statement -> statement.strip().replaceAll("\\s+", " ").toLowerCase());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"DROP | drop table imagen.pauses", "DROP | drop function imagen.pause(text)",
            "DROP | alter table imagen.pauses drop column backend",
            "RENAME | alter table imagen.jobs rename column error to reason",
            "RENAME | alter table imagen.jobs rename to work",
            "TYPE | alter table imagen.jobs alter column attempt type bigint",
            "NOT_NULL | alter table imagen.jobs alter column backend set not null",
            "NOT_NULL | alter table imagen.jobs add column size int not null",
            "INDEX | create index a on imagen.jobs (id)", "INDEX | CREATE UNIQUE INDEX a ON imagen.images\\n(id)",
            "INDEX | alter table imagen.usage add constraint a unique (id)",
            "CONSTRAINT | alter table imagen.jobs add constraint a check (steps > 0)",
            "CONSTRAINT | alter table imagen.jobs add constraint a check (x) not valid, add constraint b check (y)",
            "CONSTRAINT | alter table imagen.jobs add column a uuid references imagen.images",
            "ALL_ROWS | update imagen.jobs set priority = 0", "ALL_ROWS | lock table imagen.jobs"})
    void each_such_form_is_found(String form, String sql) {
        assertThat(forms("select 1; -- of nothing\n" + sql.replace("\\n", "\n") + ";"))
                .containsExactly(Form.valueOf(form));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"alter table imagen.jobs add column traceparent text",
            "alter table imagen.jobs add column size int not null default 1",
            "alter table imagen.jobs add constraint a check (steps > 0) not valid",
            "alter table imagen.jobs validate constraint a", "create index concurrently a on imagen.jobs (id)",
            "create table imagen.new (id uuid primary key references imagen.jobs)", "create index a on imagen.new (id)",
            "-- drop table imagen.jobs",
            "create or replace function imagen.f() returns void language sql as $$ update imagen.jobs set x = 1 $$"})
    void what_former_processes_survive_is_not(String sql) {
        assertThat(forms(sql)).isEmpty();
    }
}
