package dev.imagen.bench;

/** What the service's JVM could be started with; docs/decisions/0013-jvm-options.md says what was chosen. */
enum JvmOptions {

    /** The service's own. */
    CHOSEN(System.getProperty("bench.jvm", "")),

    /** Objects have the headers of earlier JVMs. */
    WIDE_HEADERS(CHOSEN.options.replace("-XX:+UseCompactObjectHeaders", "-XX:-UseCompactObjectHeaders")),

    /** The young generation is as large as the collector likes. */
    FREE_YOUNG(CHOSEN.options.replaceFirst("-Xmn\\S+ (-XX:SurvivorRatio=\\d+ )?", "")),

    /** Room for what thousands of streams leave behind at each event. */
    LARGE_YOUNG(CHOSEN.options.replaceFirst("-Xmn\\S+( -XX:SurvivorRatio=\\d+)?", "-Xmn128m -XX:SurvivorRatio=3")),

    /** No more than a start needs. */
    SMALL_YOUNG(CHOSEN.options.replaceFirst("-Xmn\\S+( -XX:SurvivorRatio=\\d+)?", "-Xmn24m")),

    /** The second compiler when the JVM has it. */
    SECOND_AS_USUAL(CHOSEN.options.replaceAll("-XX:Tier4\\S+ ", "")),

    /** No second compiler. */
    NO_SECOND(SECOND_AS_USUAL.options + " -XX:TieredStopAtLevel=1"),

    /** The JVM's default where there are two processors and 2 GiB. */
    G1(CHOSEN.options.replace("-XX:+UseSerialGC", "-XX:+UseG1GC").replaceFirst("-Xmn\\S+ (-XX:SurvivorRatio=\\d+ )?",
            "")),

    /** Many threads, and longer pauses. */
    PARALLEL(CHOSEN.options.replace("-XX:+UseSerialGC", "-XX:+UseParallelGC")
            .replaceFirst("-Xmn\\S+ (-XX:SurvivorRatio=\\d+ )?", "")),

    /** Nearly no pauses. */
    Z(CHOSEN.options.replace("-XX:+UseSerialGC", "-XX:+UseZGC").replaceFirst("-Xmn\\S+ (-XX:SurvivorRatio=\\d+ )?",
            ""));

    private final String options;

    JvmOptions(String options) {
        this.options = options;
    }

    String options() {
        return options;
    }
}
