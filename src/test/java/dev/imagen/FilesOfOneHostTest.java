package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.Settings;
import dev.imagen.config.SettingsLoader;
import dev.imagen.testing.LogRecords;
import dev.imagen.testing.TestDatabase;
import dev.imagen.worker.HostName;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class FilesOfOneHostTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    @BeforeEach
    void clear() throws SQLException {
        DB.clear();
    }

    private static void worker(String name, String heartbeat) throws SQLException {
        DB.execute("insert into imagen.workers (id, name, backends, heartbeat_at) values (gen_random_uuid(), '" + name
                + "', '{mock}', " + heartbeat + ")");
    }

    private static List<String> warnings(Map<String, String> settings) {
        var all = new HashMap<>(settings);
        all.put("imagen.home", "target/no-home");
        return warnings(SettingsLoader.load(all));
    }

    private static List<String> warnings(Settings settings) {
        try (var log = LogRecords.of(FilesOfOneHost.class.getName())) {
            FilesOfOneHost.check(settings, DB.database());
            return log.warnings();
        }
    }

    @Test
    void files_beside_live_workers_of_other_hosts_are_warned_of_once_with_what_to_do() throws SQLException {
        worker("other.example/1", "now()");
        worker("other.example/2", "now()");
        worker("third/3", "now()");
        assertThat(warnings(Map.of())).singleElement().asString().contains(HostName.here(), "[other.example, third]",
                "IMAGEN_HOME", "STORAGE_KIND");
    }

    @Test
    void other_processes_of_this_host_have_the_same_files() throws SQLException {
        worker(HostName.here() + "/1", "now()");
        assertThat(warnings(Map.of())).isEmpty();
    }

    @Test
    void dead_workers_of_other_hosts_do_not_count() throws SQLException {
        worker("other/1", "now() - interval '16 seconds'");
        assertThat(warnings(Map.of())).isEmpty();
    }

    @Test
    void a_store_that_all_hosts_reach_is_not_warned_of() throws SQLException {
        worker("other/1", "now()");
        assertThat(warnings(Map.of("storage.kind", "s3", "storage.s3.key", "a", "storage.s3.secret", "b"))).isEmpty();
    }
}
