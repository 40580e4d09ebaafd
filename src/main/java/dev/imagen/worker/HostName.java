package dev.imagen.worker;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** The host in the names of workers, which people read: {@code host/process}. */
public final class HostName {

    private static final String HOST = host();

    private HostName() {}

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }

    /** The host of this process. */
    public static String here() {
        return HOST;
    }

    /** What this process calls itself. */
    static String worker() {
        return HOST + "/" + ProcessHandle.current().pid();
    }

    /** The host in a worker's name. */
    public static String of(String worker) {
        int slash = worker.lastIndexOf('/');
        return slash < 0 ? worker : worker.substring(0, slash);
    }
}
