package dev.imagen.database;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.testing.TestDatabase;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.postgresql.util.PSQLException;

/**
 * Says to the database what PostgREST 16 says for the requests that supabase-js makes: its login, its transaction, its
 * settings and its statements, and its status for what the database answers. After the modules PreQuery, QueryBuilder,
 * Statements, SqlFragment and Error of its sources; only as much of its query language as the tests need.
 */
final class Postgrest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String AUTHENTICATOR = """
            do $$
            begin
                if not exists (select from pg_roles where rolname = 'authenticator') then
                    create role authenticator login noinherit password 'secret';
                    grant anon, authenticated, service_role to authenticator;
                end if;
            end
            $$""";

    private static final String SETTINGS = """
            select set_config('search_path', '"imagen", "public", "extensions"', true), set_config('role', ?, true),
                   set_config('request.jwt.claims', ?, true), set_config('request.method', ?, true),
                   set_config('request.path', ?, true), set_config('request.headers', '{"host":"localhost"}', true),
                   set_config('request.cookies', '{}', true)""";

    private static final String RESPONSE = ", nullif(current_setting('response.headers', true), '') AS response_headers,"
            + " nullif(current_setting('response.status', true), '') AS response_status, '' AS response_inserted ";

    private final TestDatabase db;

    Postgrest(TestDatabase db) throws SQLException {
        this.db = db;
        db.execute(AUTHENTICATOR);
    }

    /** What a client gets: {@code data} and {@code error} of supabase-js are the body. */
    record Answer(int status, JsonNode body) {

        String code() {
            return body.path("code").asText();
        }

        String message() {
            return body.path("message").asText();
        }
    }

    /** A request as supabase-js makes it; {@code single} is what it sends in Accept for {@code .single()}. */
    record Request(String method, String path, String body, String prefer, boolean single) {

        static Request get(String path) {
            return new Request("GET", path, "", "", false);
        }

        static Request post(String path, String body) {
            return new Request("POST", path, body, "", false);
        }

        Request prefer(String preference) {
            return new Request(method, path, body, preference, single);
        }

        Request one() {
            return new Request(method, path, body, prefer, true);
        }

        String resource() {
            return URI.create(path).getPath().substring(1);
        }

        Map<String, String> query() {
            var query = URI.create(path).getQuery();
            var values = new LinkedHashMap<String, String>();
            if (query != null) {
                Arrays.stream(query.split("&")).map(pair -> pair.split("=", 2))
                        .forEach(pair -> values.put(pair[0], pair[1]));
            }
            return values;
        }
    }

    /** One statement, and what goes into it. */
    private record Main(String sql, List<Object> parameters, int status, boolean readOnly) {}

    /** @param claims those of the token, or of the public key: its role is the database's */
    Answer send(String claims, Request request) throws SQLException {
        var role = json(claims).path("role").asText();
        try (Connection connection = DriverManager.getConnection(db.settings().service().url(), "authenticator",
                "secret")) {
            connection.setAutoCommit(false);
            try {
                var main = main(request);
                connection.setReadOnly(main.readOnly());
                impersonate(connection, role, claims, request);
                var answer = ask(connection, request, main);
                if (answer.status() < 400) {
                    connection.commit();
                }
                return answer;
            } catch (PSQLException e) {
                return refused(e, !role.equals("anon"));
            }
        }
    }

    private static void impersonate(Connection connection, String role, String claims, Request request)
            throws SQLException {
        try (var statement = connection.prepareStatement(SETTINGS)) {
            var values = List.of(role, claims, request.method(), "/" + request.resource());
            for (int i = 0; i < values.size(); i++) {
                statement.setString(i + 1, values.get(i));
            }
            statement.execute();
        }
    }

    private static Answer ask(Connection connection, Request request, Main main) throws SQLException {
        try (var statement = connection.prepareStatement(main.sql())) {
            for (int i = 0; i < main.parameters().size(); i++) {
                // Of no type, so that the server finds out, as for PostgREST.
                statement.setObject(i + 1, main.parameters().get(i), Types.OTHER);
            }
            try (var result = statement.executeQuery()) {
                result.next();
                if (request.single() && result.getLong("page_total") != 1) {
                    return new Answer(406, JSON.createObjectNode().put("code", "PGRST116"));
                }
                return new Answer(main.status(), json(result.getString("body")));
            }
        }
    }

    private Main main(Request request) throws SQLException {
        if (request.resource().startsWith("rpc/")) {
            return call(request, request.resource().substring("rpc/".length()));
        }
        return switch (request.method()) {
            case "GET" -> read(request, request.resource());
            case "POST" -> insert(request, request.resource());
            case "PATCH" -> update(request, request.resource());
            case "DELETE" -> {
                var parameters = new ArrayList<Object>();
                var table = qualified(request.resource());
                yield write(request, "DELETE FROM " + table + where(request, table, parameters), parameters, 204);
            }
            default -> throw new IllegalArgumentException(request.method());
        };
    }

    private static Main read(Request request, String name) {
        var parameters = new ArrayList<Object>();
        var table = qualified(name);
        var select = "SELECT " + selected(request, table) + " FROM " + table + where(request, table, parameters)
                + order(request, table);
        var limit = request.query().get("limit");
        if (limit != null) {
            select += " LIMIT ? OFFSET ?";
            parameters.addAll(List.of(limit, request.query().getOrDefault("offset", "0")));
        }
        return new Main("WITH pgrst_source AS ( " + select + " ) SELECT null::bigint AS total_result_set,"
                + " pg_catalog.count(_postgrest_t) AS page_total, " + body(request, false) + RESPONSE
                + "FROM ( SELECT * FROM pgrst_source ) _postgrest_t", parameters, 200, true);
    }

    private Main insert(Request request, String name) throws SQLException {
        var body = json(request.body());
        var columns = request.query().containsKey("columns")
                ? Arrays.stream(request.query().get("columns").split(",")).map(column -> column.replace("\"", ""))
                        .toList()
                : keys(body);
        var sql = "INSERT INTO " + qualified(name) + "(" + quoted("", columns) + ") SELECT "
                + quoted("\"pgrst_body\".", columns) + " "
                + fromBody(body, columns, columnTypes(name), defaults(request, name, columns));
        if (request.prefer().contains("resolution=ignore-duplicates")) {
            sql += " ON CONFLICT(" + quoted("", List.of(request.query().get("on_conflict").split(",")))
                    + ") DO NOTHING";
        }
        return write(request, sql, new ArrayList<>(List.of(request.body())), 201);
    }

    private Main update(Request request, String name) throws SQLException {
        var body = json(request.body());
        var table = qualified(name);
        var parameters = new ArrayList<Object>(List.of(request.body()));
        var sql = "UPDATE " + table + " SET "
                + keys(body).stream().map(key -> "\"" + key + "\" = \"pgrst_body\".\"" + key + "\"")
                        .collect(joining(", "))
                + " " + fromBody(body, keys(body), columnTypes(name), "") + where(request, table, parameters);
        return write(request, sql, parameters, 204);
    }

    private static Main write(Request request, String sql, List<Object> parameters, int status) {
        boolean returned = request.prefer().contains("return=representation");
        var table = qualified(request.resource());
        return new Main("WITH pgrst_source AS (" + sql + " RETURNING " + (returned ? selected(request, table) : "1")
                + ") SELECT '' AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total,"
                + " array[]::text[] AS header, " + (returned ? body(request, false) : "''::text AS body") + RESPONSE
                + "FROM (SELECT " + (returned ? selected(request, "\"" + request.resource() + "\"") : "*")
                + " FROM \"pgrst_source\" AS \"" + request.resource() + "\") _postgrest_t", parameters, status, false);
    }

    private Main call(Request request, String name) throws SQLException {
        var function = db.row("""
                select p.oid, p.proretset as many, t.typtype <> 'c' and p.proargmodes is null as scalar,
                       p.provolatile <> 'v' as stable
                  from pg_proc p join pg_type t on t.oid = p.prorettype
                 where p.pronamespace = 'imagen'::regnamespace and p.proname = ?""", name);
        boolean scalar = (boolean) function.get("scalar");
        var types = types("""
                select a.name, format_type(a.type, null)
                  from pg_proc p, unnest(p.proargnames, p.proargtypes) as a (name, type)
                 where a.type is not null and p.oid = ?""", function.get("oid"));
        boolean get = request.method().equals("GET");
        var parameters = new ArrayList<Object>();
        String from;
        if (get) {
            from = called(name, scalar, request.query().keySet().stream().filter(types::containsKey).map(key -> {
                parameters.add(request.query().get(key));
                return "\"" + key + "\" := ?::" + types.get(key);
            }).collect(joining(", ")));
        } else if (json(request.body()).isEmpty()) {
            from = called(name, scalar, "");
        } else {
            var keys = keys(json(request.body()));
            parameters.add(request.body());
            from = fromBody(json(request.body()), keys, types, "").substring("FROM ".length()).replace(") pgrst_body",
                    " LIMIT 1) pgrst_body") + ", LATERAL "
                    + called(name, scalar, keys.stream().map(key -> "\"" + key + "\" := pgrst_body.\"" + key + "\"")
                            .collect(joining(", ")));
        }
        boolean one = !(boolean) function.get("many");
        var body = scalar ? "coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null') AS body" : body(request, one);
        return new Main(
                "WITH pgrst_source AS (SELECT " + (scalar ? "pgrst_call.pgrst_scalar" : "pgrst_call.*") + " FROM "
                        + from + ") SELECT null::bigint AS total_result_set, "
                        + (one ? "1" : "pg_catalog.count(_postgrest_t)") + " AS page_total, " + body + RESPONSE
                        + "FROM (SELECT " + (scalar ? "\"" + name + "\".*" : selected(request, "\"" + name + "\""))
                        + " FROM \"pgrst_source\" AS \"" + name + "\") _postgrest_t",
                parameters, 200, get || (boolean) function.get("stable"));
    }

    private static String called(String name, boolean scalar, String arguments) {
        var call = qualified(name) + "(" + arguments + ")";
        return scalar ? "(SELECT " + call + " pgrst_scalar) pgrst_call" : call + " pgrst_call";
    }

    /** @param defaults what fills the columns that an element lacks, as jsonb; empty: null does */
    private static String fromBody(JsonNode body, List<String> columns, Map<String, String> types, String defaults) {
        var typed = columns.stream().map(column -> "\"" + column + "\" " + types.get(column)).collect(joining(", "));
        var kind = defaults.isEmpty() ? "json" : "jsonb";
        var source = defaults.isEmpty() ? "pgrst_payload.json_data" : "pgrst_json_defs.val";
        var filled = defaults.isEmpty()
                ? ""
                : "LATERAL (SELECT jsonb_agg(" + defaults + " || elem) AS val"
                        + " from jsonb_array_elements(pgrst_payload.json_data) elem) pgrst_json_defs, ";
        return "FROM (SELECT ?::" + kind + " AS json_data) pgrst_payload, " + filled + "LATERAL (SELECT "
                + quoted("", columns) + " FROM " + kind + (body.isArray() ? "_to_recordset(" : "_to_record(") + source
                + ") AS _(" + typed + ")) pgrst_body";
    }

    private String defaults(Request request, String table, List<String> columns) throws SQLException {
        if (!request.prefer().contains("missing=default")) {
            return "";
        }
        var defaults = types("""
                select attname, pg_get_expr(adbin, adrelid) from pg_attribute
                  join pg_attrdef on adrelid = attrelid and adnum = attnum where attrelid = ?::regclass""",
                qualified(table));
        return "jsonb_build_object(" + columns.stream().filter(defaults::containsKey)
                .map(column -> "'" + column + "', " + defaults.get(column)).collect(joining(",")) + ")";
    }

    private Map<String, String> columnTypes(String table) throws SQLException {
        return types("select attname, format_type(atttypid, atttypmod) from pg_attribute"
                + " where attrelid = ?::regclass and attnum > 0", qualified(table));
    }

    private Map<String, String> types(String sql, Object of) throws SQLException {
        var types = new LinkedHashMap<String, String>();
        for (var row : db.rows(sql, of)) {
            var values = List.copyOf(row.values());
            types.put(values.get(0).toString(), values.get(1).toString());
        }
        return types;
    }

    private static String body(Request request, boolean one) {
        return one || request.single()
                ? "coalesce(json_agg(_postgrest_t)->0, 'null') AS body"
                : "coalesce(json_agg(_postgrest_t), '[]') AS body";
    }

    private static String selected(Request request, String of) {
        var select = request.query().getOrDefault("select", "*");
        return select.equals("*") ? of + ".*" : quoted(of + ".", List.of(select.split(",")));
    }

    /** Filters such as {@code status=eq.pending} and {@code id=in.(a,b)}. */
    private static String where(Request request, String table, List<Object> parameters) {
        var conditions = new ArrayList<String>();
        request.query().forEach((column, value) -> {
            if (value.startsWith("eq.")) {
                conditions.add(table + ".\"" + column + "\" = ?");
                parameters.add(value.substring("eq.".length()));
            } else if (value.startsWith("in.(")) {
                conditions.add(table + ".\"" + column + "\" = ANY (?)");
                parameters.add("{" + value.substring("in.(".length(), value.length() - 1) + "}");
            }
        });
        return conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
    }

    private static String order(Request request, String table) {
        var order = request.query().get("order");
        return order == null
                ? ""
                : " ORDER BY " + Arrays.stream(order.split(","))
                        .map(term -> table + ".\"" + term.replace(".desc", "\" DESC")).collect(joining(", "));
    }

    private static List<String> keys(JsonNode body) {
        var keys = new LinkedHashSet<String>();
        (body.isArray() ? body.path(0) : body).fieldNames().forEachRemaining(keys::add);
        return List.copyOf(keys);
    }

    private static String qualified(String name) {
        return "\"imagen\".\"" + name + "\"";
    }

    private static String quoted(String before, List<String> names) {
        return names.stream().map(name -> before + "\"" + name + "\"").collect(joining(", "));
    }

    private static Answer refused(PSQLException e, boolean authenticated) {
        var error = e.getServerErrorMessage();
        var body = JSON.createObjectNode().put("code", e.getSQLState()).put("message", error.getMessage())
                .put("details", error.getDetail()).put("hint", error.getHint());
        return new Answer(status(e.getSQLState(), authenticated), body);
    }

    /** PostgREST's table of SQLSTATEs, as far as a client can make them happen here. */
    private static int status(String state, boolean authenticated) {
        return switch (state) {
            case "23503", "23505" -> 409;
            case "25006" -> 405;
            case "42501" -> authenticated ? 403 : 401;
            case "42883", "42P01" -> 404;
            default -> {
                if (state.startsWith("PT")) {
                    yield Integer.parseInt(state.substring("PT".length()));
                }
                yield Stream.of("P0", "25", "40", "54", "55", "57", "58", "XX").anyMatch(state::startsWith) ? 500 : 400;
            }
        };
    }

    private static JsonNode json(String text) {
        try {
            return text.isEmpty() ? JSON.createObjectNode() : JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text, e);
        }
    }
}
