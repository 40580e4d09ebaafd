package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.Login;
import dev.imagen.testing.ServiceProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Processes that work on one queue and share a folder of images. Each has a name of its own, which its sessions bear.
 */
final class Crew implements AutoCloseable {

    private static final int LAST_LINES = 40;

    /** @param name {@code worker-N}; nobody bears it a second time */
    record Member(String name, ServiceProcess process) {}

    private final Path home;
    private final Map<String, String> environment;
    private final List<Member> working = new ArrayList<>();
    private final List<Member> all = new ArrayList<>();
    private boolean killed;

    /** @param environment what all processes are set to */
    Crew(Path home, Map<String, String> environment) {
        this.home = home;
        this.environment = environment;
    }

    /** Starts one more process, and does not wait until it is ready. */
    Member hire(Login way, Map<String, String> settings) throws IOException {
        var name = "worker-" + (all.size() + 1);
        var its = new HashMap<>(environment);
        its.put("DB_CONNECTION_URL", named(way.url(), name));
        its.put("DB_CONNECTION_USERNAME", way.username());
        its.put("DB_CONNECTION_PASSWORD", way.password());
        its.putAll(settings);
        var member = new Member(name, ServiceProcess.start(home, its));
        all.add(member);
        working.add(member);
        return member;
    }

    /** The URL wins over the name that the service gives its sessions. */
    static String named(String url, String name) {
        return url + (url.contains("?") ? "&" : "?") + "ApplicationName=" + name;
    }

    /** Those that were neither killed nor asked to stop. */
    List<Member> working() {
        return List.copyOf(working);
    }

    /** One of them. */
    Member any(Random dice) {
        return working.get(dice.nextInt(working.size()));
    }

    /** The one that imagen.workers calls {@code host/pid}. */
    Member named(String worker) {
        long pid = Long.parseLong(worker.substring(worker.lastIndexOf('/') + 1));
        return working.stream().filter(member -> member.process().pid() == pid).findFirst()
                .orElseThrow(() -> new AssertionError("no process " + pid + " among " + working));
    }

    void awaitReady() throws InterruptedException {
        for (Member member : working) {
            member.process().awaitReady();
        }
    }

    /** SIGKILL: from now on a file without a row is nobody's fault. */
    void kill(Member member) throws InterruptedException {
        killed = true;
        working.remove(member);
        member.process().kill();
    }

    boolean killed() {
        return killed;
    }

    /** SIGTERM, and the end that must follow. */
    void stop(Member member) throws InterruptedException {
        working.remove(member);
        member.process().terminate();
        assertEnds(member);
    }

    /** All go home; each must end with 0. */
    void stopAll() throws InterruptedException {
        var leaving = working();
        working.clear();
        leaving.forEach(member -> member.process().terminate());
        for (Member member : leaving) {
            assertEnds(member);
        }
    }

    private static void assertEnds(Member member) throws InterruptedException {
        assertThat(member.process().awaitExit()).as("exit code of " + member.name()).isZero();
    }

    /** What each has said last. */
    String lastWords() {
        var words = new StringBuilder();
        for (Member member : all) {
            words.append("--- ").append(member.name()).append(", process ").append(member.process().pid())
                    .append(member.process().alive() ? "\n" : ", ended\n")
                    .append(member.process().lastOutput(LAST_LINES)).append('\n');
        }
        return words.toString();
    }

    @Override
    public void close() {
        all.stream().filter(member -> member.process().alive()).forEach(member -> member.process().close());
    }
}
