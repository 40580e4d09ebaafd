package dev.imagen.worker;

/** Why an attempt ends before its pipeline does. */
enum StopReason {
    /** It took longer than {@code worker.timeout}. */
    TIMEOUT,
    /** Somebody asked to stop it. */
    CANCEL,
    /** The lease ran out: another worker may have the job soon. */
    LEASE_LOST,
    /** The grace of a stopping process is over. */
    SHUTDOWN
}
