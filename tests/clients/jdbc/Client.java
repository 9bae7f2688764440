import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.UUID;

/** pgjdbc: extended protocol, server-side statements in binary, fetch size, metadata, cancel. */
public class Client {
    static final String ENDLESS =
        "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11";
    static int passed;
    static int failed;

    interface Check {
        void run(Connection connection) throws Exception;
    }

    interface Action {
        void run() throws Exception;
    }

    static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null ? otherwise : value;
    }

    static Connection connect(String... options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", env("PGUSER", "lakegate"));
        properties.setProperty("sslmode", "prefer");
        for (int at = 0; at < options.length; at += 2) {
            properties.setProperty(options[at], options[at + 1]);
        }
        String url = "jdbc:postgresql://" + env("PGHOST", "127.0.0.1") + ":" + env("PGPORT", "5433") + "/"
            + env("PGDATABASE", "lakegate");
        return DriverManager.getConnection(url, properties);
    }

    static void check(String name, Check check, String... options) {
        try (Connection connection = connect(options)) {
            check.run(connection);
            passed++;
        } catch (Exception | AssertionError error) {
            failed++;
            System.out.println("FAILED: " + name);
            error.printStackTrace(System.out);
        }
    }

    static void equal(Object got, Object expected) {
        boolean same = got instanceof byte[] && expected instanceof byte[]
            ? Arrays.equals((byte[]) got, (byte[]) expected)
            : Objects.equals(got, expected);
        if (!same) {
            throw new AssertionError(got + " instead of " + expected);
        }
    }

    static void failsWith(String state, Action action) throws Exception {
        try {
            action.run();
        } catch (SQLException error) {
            equal(error.getSQLState(), state);
            return;
        }
        throw new AssertionError("no error instead of " + state);
    }

    static Object one(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getObject(1);
        }
    }

    /** Sends each value eight times: from the fifth on the driver asks for binary results by a named statement. */
    static void value(Connection connection, String type, Object sent, Class<?> as) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT ?::" + type)) {
            for (int round = 0; round < 8; round++) {
                statement.setObject(1, sent);
                try (ResultSet rows = statement.executeQuery()) {
                    equal(rows.next(), true);
                    equal(as == byte[].class ? rows.getBytes(1) : rows.getObject(1, as), sent);
                }
            }
            statement.setNull(1, Types.NULL);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                equal(rows.getObject(1), null);
            }
        }
    }

    static void values(Connection connection) throws Exception {
        value(connection, "int4", 2147483647, Integer.class);
        value(connection, "int8", Long.MIN_VALUE, Long.class);
        value(connection, "float8", 0.1, Double.class);
        value(connection, "float4", 0.5f, Float.class);
        value(connection, "numeric", new BigDecimal("12345678901234567890.1230"), BigDecimal.class);
        value(connection, "numeric", new BigDecimal("-0.0001"), BigDecimal.class);
        value(connection, "text", "it's \"quoted\" \\ na\u00efve \ud83d\ude00\n", String.class);
        value(connection, "bool", true, Boolean.class);
        value(connection, "date", LocalDate.of(2024, 2, 29), LocalDate.class);
        value(connection, "timestamp", LocalDateTime.of(2024, 2, 29, 13, 14, 15, 123456000), LocalDateTime.class);
        value(connection, "timestamptz", OffsetDateTime.parse("2024-02-29T13:14:15.123456Z"), OffsetDateTime.class);
        value(connection, "uuid", UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), UUID.class);
        value(connection, "bytea", new byte[] {0, 1, -1}, byte[].class);
        try (PreparedStatement statement = connection.prepareStatement("SELECT ?::int4[], ?::text[]")) {
            for (int round = 0; round < 8; round++) {
                statement.setArray(1, connection.createArrayOf("int4", new Integer[] {1, null, 3}));
                statement.setArray(2, connection.createArrayOf("text", new String[] {"a b", "", "c\"d"}));
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    Array numbers = rows.getArray(1);
                    equal(Arrays.asList((Integer[]) numbers.getArray()), Arrays.asList(1, null, 3));
                    equal(Arrays.asList((String[]) rows.getArray(2).getArray()), Arrays.asList("a b", "", "c\"d"));
                }
            }
        }
        equal(one(connection, "SELECT interval '1 day 02:03:04.5'").toString(),
            "0 years 0 mons 1 days 2 hours 3 mins 4.5 secs");
    }

    static void statements(Connection connection) throws Exception {
        String sql = "SELECT x, x::text, x / 2.0 FROM generate_series(1, ?) t(x) WHERE x > ? ORDER BY 1";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int round = 0; round < 10; round++) {
                statement.setInt(1, 5 + round);
                statement.setInt(2, 3);
                try (ResultSet rows = statement.executeQuery()) {
                    int count = 0;
                    while (rows.next()) {
                        equal(rows.getString(2), String.valueOf(rows.getInt(1)));
                        equal(rows.getBigDecimal(3).doubleValue(), rows.getInt(1) / 2.0);
                        count++;
                    }
                    equal(count, 2 + round);
                }
            }
        }
    }

    static void fetchSize(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT x FROM generate_series(1, 100000) t(x)")) {
            for (int round = 0; round < 7; round++) {
                statement.setFetchSize(round < 2 ? 7000 : 50000);
                long total = 0;
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        total += rows.getInt(1);
                    }
                }
                equal(total, 5000050000L);
            }
            statement.setMaxRows(10);
            int count = 0;
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    count++;
                }
            }
            equal(count, 10);
        }
        connection.commit();
    }

    static void errors(Connection connection) throws Exception {
        String[][] cases = {
            {"SELECT 1/0", "22012"}, {"SELECT nope", "42703"}, {"SELEC 1", "42601"}, {"SELECT * FROM nope", "42P01"},
        };
        for (String[] one : cases) {
            failsWith(one[1], () -> one(connection, one[0]));
            equal(one(connection, "SELECT 1"), 1);
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT ?::int4")) {
            statement.setString(1, "x");
            failsWith("22P02", statement::executeQuery);
        }
    }

    static void transactions(Connection connection) throws Exception {
        connection.setAutoCommit(false);
        failsWith("22012", () -> one(connection, "SELECT 1/0"));
        failsWith("25P02", () -> one(connection, "SELECT 1"));
        connection.rollback();
        equal(one(connection, "SELECT 1"), 1);
        Savepoint savepoint = connection.setSavepoint("a");
        failsWith("22012", () -> one(connection, "SELECT 1/0"));
        connection.rollback(savepoint);
        equal(one(connection, "SELECT 2"), 2);
        connection.commit();
        connection.setAutoCommit(true);
        connection.setReadOnly(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        equal(one(connection, "SELECT 3"), 3);
        equal(connection.isValid(5), true);
    }

    static void cancel(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            Thread canceller = new Thread(() -> {
                try {
                    Thread.sleep(500);
                    statement.cancel();
                } catch (Exception error) {
                    error.printStackTrace(System.out);
                }
            });
            canceller.start();
            failsWith("57014", () -> statement.executeQuery(ENDLESS));
            canceller.join();
            statement.setQueryTimeout(1);
            failsWith("57014", () -> statement.executeQuery(ENDLESS));
            statement.setQueryTimeout(0);
        }
        equal(one(connection, "SELECT 1"), 1);
    }

    static void timeout(Connection connection) throws Exception {
        failsWith("57014", () -> one(connection, ENDLESS));
        equal(one(connection, "SHOW statement_timeout"), "300ms");
    }

    static void several(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            equal(statement.execute("SELECT 1; SELECT 2"), true);
            equal(statement.getMoreResults(), true);
            statement.getResultSet().next();
            equal(statement.getResultSet().getInt(1), 2);
            equal(statement.getMoreResults(), false);
        }
    }

    static void metadata(Connection connection) throws Exception {
        String sql = "SELECT 1 AS a, 'x'::text AS b, 1.5::numeric(10,2) AS c, now() AS d, true AS e, 1.0::float8 AS f";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            ResultSetMetaData columns = statement.getMetaData();
            String[] names = {"a", "b", "c", "d", "e", "f"};
            String[] types = {"int4", "text", "numeric", "timestamptz", "bool", "float8"};
            for (int at = 0; at < names.length; at++) {
                equal(columns.getColumnName(at + 1), names[at]);
                equal(columns.getColumnTypeName(at + 1), types[at]);
            }
        }
        DatabaseMetaData about = connection.getMetaData();
        equal(names(about.getSchemas(), "TABLE_SCHEM").contains("weather"), true);
        equal(names(about.getTables(null, "weather", "%", new String[] {"TABLE"}), "TABLE_NAME").contains("observations"), true);
        equal(names(about.getTables(null, "public", "%", new String[] {"VIEW"}), "TABLE_NAME").isEmpty(), false);
        equal(names(about.getColumns(null, "climate", "global_temp", "%"), "COLUMN_NAME"), List.of("year", "temp"));
        equal(names(about.getColumns(null, "climate", "global_temp", "%"), "TYPE_NAME"), List.of("int8", "float8"));
        for (ResultSet none : new ResultSet[] {
                about.getPrimaryKeys(null, "climate", "global_temp"), about.getImportedKeys(null, "climate", "global_temp"),
                about.getExportedKeys(null, "climate", "global_temp"),
                about.getIndexInfo(null, "climate", "global_temp", false, true),
                about.getBestRowIdentifier(null, "climate", "global_temp", DatabaseMetaData.bestRowSession, true)}) {
            equal(none.next(), false);
        }
        equal(names(about.getTypeInfo(), "TYPE_NAME").contains("timestamptz"), true);
        equal(names(about.getFunctions(null, "pg_catalog", "date_trunc"), "FUNCTION_NAME").isEmpty(), false);
        names(about.getTableTypes(), "TABLE_TYPE");
        names(about.getCatalogs(), "TABLE_CAT");
        names(about.getTablePrivileges(null, "climate", "global_temp"), "PRIVILEGE");
        equal(about.getSQLKeywords().isEmpty(), false);
        equal(about.getMaxColumnNameLength() > 0, true);
        equal(connection.getMetaData().getDatabaseProductName(), "PostgreSQL");
        equal(connection.getMetaData().getDatabaseMajorVersion() >= 15, true);
        equal(connection.getCatalog(), env("PGDATABASE", "lakegate"));
    }

    private static List<String> names(ResultSet rows, String column) throws SQLException {
        List<String> names = new ArrayList<>();
        while (rows.next()) {
            names.add(rows.getString(column));
        }
        rows.close();
        return names;
    }

    public static void main(String[] arguments) {
        check("values", Client::values);
        check("values in binary at once", Client::values, "prepareThreshold", "-1");
        check("values as text in the simple protocol", Client::statements, "preferQueryMode", "simple");
        check("prepared statements", Client::statements);
        check("fetch size", Client::fetchSize);
        check("errors", Client::errors);
        check("transactions", Client::transactions);
        check("cancel", Client::cancel);
        check("statement_timeout", Client::timeout, "options", "-c statement_timeout=300");
        check("several statements", Client::several);
        check("metadata", Client::metadata);
        check("old assumptions", Client::statements, "assumeMinServerVersion", "9.0", "ApplicationName", "a test");
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }
}
