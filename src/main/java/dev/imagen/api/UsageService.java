package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.database.Database;
import dev.imagen.database.Row;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;

/**
 * {@code /usage}: what the caller's attempts cost, or for operators everybody's, grouped by day (UTC), backend or
 * model.
 */
final class UsageService implements HttpService {

    private static final Map<String, String> GROUPS = Map.of("day",
            "to_char(created_at at time zone 'UTC', 'YYYY-MM-DD')", "backend", "backend", "model", "model");

    private static final String SUMS = """
            select %s as key, count(*) as attempts, sum(images) as images, sum(megapixels) as megapixels,
                   sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,
                   sum(cost_usd) as cost_usd, sum(duration_ms)::bigint as duration_ms
              from imagen.usage
             where %s
               and created_at >= coalesce(?::timestamptz, '-infinity') and created_at < coalesce(?::timestamptz, 'infinity')
             group by 1 order by 1
            """;

    private static final String OWNERS = "owners";

    private final Database database;
    private final Authenticator authenticator;

    UsageService(Database database, Authenticator authenticator) {
        this.database = database;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/", this::usage);
    }

    private void usage(ServerRequest request, ServerResponse response) {
        boolean all = request.query().contains(OWNERS);
        var caller = all ? authenticator.operator(request) : authenticator.caller(request);
        var query = new QueryParameters(request, "from", "to", "group", OWNERS, Owners.NAME);
        if (all && (!query.text(OWNERS).equals(Optional.of("all")) || query.text(Owners.NAME).isPresent())) {
            throw Problem.invalid(OWNERS, "must be all, and goes without " + Owners.NAME);
        }
        var group = query.text("group").orElse("day");
        if (!GROUPS.containsKey(group)) {
            throw Problem.invalid("group", "must be one of day, backend, model");
        }
        var owner = all ? null : Owners.asked(request, caller);
        var from = query.time("from").map(time -> time.atOffset(ZoneOffset.UTC)).orElse(null);
        var to = query.time("to").map(time -> time.atOffset(ZoneOffset.UTC)).orElse(null);
        // Two statements, for one plan would not suit both.
        var sql = SUMS.formatted(GROUPS.get(group), all ? "?::uuid is null" : "owner_user_id = ?::uuid");
        var sums = database.query(caller, sql, row -> json(row, group), owner, from, to);
        var answer = Json.object().put("group", group);
        answer.putArray("usage").addAll(sums);
        Json.send(response, Status.OK_200, answer);
    }

    private static ObjectNode json(Row row, String group) {
        return Json.object().put(group, row.text("key")).put("attempts", row.whole("attempts"))
                .put("images", row.whole("images")).put("megapixels", row.decimal("megapixels"))
                .put("input_tokens", row.optionalWhole("input_tokens").orElse(null))
                .put("output_tokens", row.optionalWhole("output_tokens").orElse(null))
                .put("cost_usd", row.decimal("cost_usd")).put("duration_ms", row.whole("duration_ms"));
    }
}
