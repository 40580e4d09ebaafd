package dev.imagen.backend.pool;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Refusal;
import dev.imagen.job.JobFailedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Several servers of one kind as one backend. A call goes to the least busy one that has the model; where it fails for
 * the moment, to the next one, each at most once.
 */
public final class ServerPool implements ImageBackend {

    /** That a server gets no calls after failures. */
    private static final Duration REST = Duration.ofSeconds(30);

    private final List<PooledServer> servers;

    /** @param backends one for each server, all of the same name */
    public ServerPool(List<ImageBackend> backends) {
        this(backends, REST);
    }

    ServerPool(List<ImageBackend> backends, Duration rest) {
        this.servers = backends.stream().map(backend -> new PooledServer(backend, rest)).toList();
    }

    /** That of the first, with the models of all. */
    @Override
    public BackendInfo info() {
        var infos = servers.stream().map(server -> server.backend().info()).toList();
        var first = infos.getFirst();
        return new BackendInfo(first.name(), infos.stream().flatMap(info -> info.models().stream()).distinct().toList(),
                first.defaults(), first.limits(), first.parameters(), first.features(), all(infos, BackendInfo::sizes),
                all(infos, BackendInfo::abilities), infos.stream().anyMatch(BackendInfo::unlisted));
    }

    private static <T> Map<String, T> all(List<BackendInfo> infos, Function<BackendInfo, Map<String, T>> byModel) {
        var all = new HashMap<String, T>();
        infos.forEach(info -> byModel.apply(info).forEach(all::putIfAbsent));
        return all;
    }

    @Override
    public Optional<Refusal> refusal(ImageRequest request) {
        return having(request.model()).getFirst().backend().refusal(request);
    }

    @Override
    public int picturesPerCall(String model) {
        return having(model).getFirst().backend().picturesPerCall(model);
    }

    /** Never empty: a model that has just gone from all of them is theirs to refuse. */
    private List<PooledServer> having(String model) {
        var having = servers.stream().filter(server -> server.has(model)).toList();
        return having.isEmpty() ? servers : having;
    }

    /** @throws JobFailedException where none of the servers is there */
    @Override
    public void probe() throws JobFailedException, InterruptedException {
        var failures = new ArrayList<JobFailedException>();
        for (PooledServer server : servers) {
            try {
                server.backend().probe();
            } catch (JobFailedException e) {
                failures.add(e);
            }
        }
        if (failures.size() == servers.size()) {
            throw JobFailedException.temporary(
                    failures.stream().map(Throwable::getMessage).collect(Collectors.joining("; ")),
                    failures.getFirst());
        }
    }

    @Override
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        var tried = new HashSet<PooledServer>();
        Optional<JobFailedException> last = Optional.empty();
        for (var next = next(request.model(), tried); next.isPresent(); next = next(request.model(), tried)) {
            try {
                return next.get().call(request, progress);
            } catch (JobFailedException e) {
                if (!e.retryable()) {
                    throw e;
                }
                last = Optional.of(e);
            }
        }
        throw last.orElseGet(() -> JobFailedException.temporary(
                "backend " + info().name() + ": each of its servers failed three times in a row, and rests", REST));
    }

    /** The least busy one that may be called, which then has to be; who does not say how busy it is counts as tried. */
    private Optional<PooledServer> next(String model, Set<PooledServer> tried) throws InterruptedException {
        var admitted = having(model).stream().filter(server -> !tried.contains(server) && server.admits()).toList();
        Optional<PooledServer> best = Optional.empty();
        try {
            best = leastBusy(admitted, tried);
            return best;
        } finally {
            admitted.stream().filter(Predicate.not(best.stream().toList()::contains)).forEach(PooledServer::pass);
        }
    }

    private static Optional<PooledServer> leastBusy(List<PooledServer> admitted, Set<PooledServer> tried)
            throws InterruptedException {
        Optional<PooledServer> best = Optional.empty();
        int least = Integer.MAX_VALUE;
        for (PooledServer server : admitted) {
            int busy = server.busy();
            if (busy == Integer.MAX_VALUE) {
                tried.add(server);
            } else if (busy < least) {
                best = Optional.of(server);
                least = busy;
            }
        }
        best.ifPresent(tried::add);
        return best;
    }

    @Override
    public void close() {
        servers.forEach(server -> server.backend().close());
    }
}
