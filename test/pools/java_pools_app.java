/*
 * An application with Java's connection pools; t/065_java_pools.pl starts it.
 *
 *     java -cp JARS java_pools_app.java FOLDER
 *
 * The configuration of the pool NAME is the file NAME.properties in FOLDER, or of c3p0 the
 * named configuration in c3p0-config.xml, to which a system property leads.  A line of the standard
 * input is a command, with tabs between its words, and the end of the input is the end of all:
 *
 *     start NAME POOL MODE CALLERS SECONDS
 *     report NAME                               what it has counted so far
 *     pause MILLISECONDS                        after each transfer, of all
 *     timeout SECONDS                           setQueryTimeout() of all transfers
 *     quiet                                     the bursts are over
 *     open NAME POOL RATE SECONDS               requests that come at their own rate
 *     executor NAME POOL CORE MAX QUEUE RATE SECONDS
 *     stop NAME                                 and say what it has counted
 *
 * POOL is hikaricp, dbcp2, tomcat, c3p0 or none.  Modes: work; burst (all callers until it is quiet,
 * then one); leak (takes connections and keeps them); lock (each caller holds a connection and asks
 * for another); limit (takes all connections, and then one more); transfer (moves money between two
 * accounts of each caller, and keeps a journal).
 */
import java.beans.Introspector;
import java.beans.PropertyDescriptor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import javax.sql.DataSource;

final class JavaPoolsApp {
    private static final Map<String, JavaPoolsApp> APPLICATIONS = new ConcurrentHashMap<>();
    private static Path folder;
    private static volatile long pause;
    private static volatile int timeout;
    private static volatile boolean quiet;

    private final String name;
    private final DataSource pool;
    private final long started = System.nanoTime();
    private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();
    private final List<Connection> kept = new ArrayList<>();
    private final List<Thread> callers = new CopyOnWriteArrayList<>();
    private volatile boolean stopping;

    private JavaPoolsApp(String name, String kind) throws Exception {
        this.name = name;
        this.pool = open(kind);
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String line;

        folder = Path.of(arguments[0]);
        while ((line = in.readLine()) != null) {
            try {
                obey(line.split("\t"));
            } catch (Exception error) {
                say("failed", line, error);
            }
        }
        System.exit(0);
    }

    private static void obey(String[] words) throws Exception {
        switch (words[0]) {
            case "pause":
                pause = Long.parseLong(words[1]);
                break;
            case "timeout":
                timeout = Integer.parseInt(words[1]);
                break;
            case "quiet":
                quiet = true;
                break;
            case "report":
                JavaPoolsApp application = APPLICATIONS.get(words[1]);
                say("report", words[1], application == null ? "" : application.report());
                break;
            case "stop":
                begin(() -> APPLICATIONS.get(words[1]).stop());
                break;
            default:
                // a pool that opens its connections at once keeps nobody else waiting
                begin(() -> start(words));
        }
    }

    private static void start(String[] words) throws Exception {
        JavaPoolsApp application = new JavaPoolsApp(words[1], words[2]);

        APPLICATIONS.put(words[1], application);
        if (words[0].equals("open")) {
            application.open(Double.parseDouble(words[3]), Double.parseDouble(words[4]));
        } else if (words[0].equals("executor")) {
            application.execute(Integer.parseInt(words[3]), Integer.parseInt(words[4]), Integer.parseInt(words[5]),
                Double.parseDouble(words[6]), Double.parseDouble(words[7]));
        } else if (words[3].equals("limit")) {
            application.limit(Integer.parseInt(words[4]));
        } else {
            for (int number = 0; number < Integer.parseInt(words[4]); number++) {
                int caller = number;
                application.callers.add(begin(() -> application.call(words[3], caller, Double.parseDouble(words[5]))));
            }
        }
    }

    private void stop() throws InterruptedException {
        stopping = true;
        for (Thread caller : callers) {
            caller.join();
        }
        say("stopped", name, report());
    }

    private static synchronized void say(Object... words) {
        StringBuilder line = new StringBuilder();

        for (Object word : words) {
            line.append(line.length() > 0 ? "\t" : "").append(word);
        }
        System.out.println(line);
        System.out.flush();
    }

    private interface Task {
        void run() throws Exception;
    }

    private static Thread begin(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (Exception error) {
                say("failed", error);
                error.printStackTrace();
            }
        });

        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /* --- the pools --- */

    private DataSource open(String kind) throws Exception {
        Properties settings = new Properties();

        if (!kind.equals("c3p0")) {
            try (Reader file = Files.newBufferedReader(folder.resolve(name + ".properties"))) {
                settings.load(file);
            }
        }
        switch (kind) {
            case "hikaricp":
                return new com.zaxxer.hikari.HikariDataSource(new com.zaxxer.hikari.HikariConfig(settings));
            case "dbcp2":
                return org.apache.commons.dbcp2.BasicDataSourceFactory.createDataSource(
                    known(settings, org.apache.commons.dbcp2.BasicDataSource.class));
            case "tomcat":
                return ((org.apache.tomcat.jdbc.pool.DataSourceFactory)
                    Class.forName((String) settings.remove("factory")).getDeclaredConstructor().newInstance())
                        .createDataSource(known(settings, org.apache.tomcat.jdbc.pool.PoolProperties.class));
            case "c3p0":
                return new com.mchange.v2.c3p0.ComboPooledDataSource(name);
            default:
                org.postgresql.ds.PGSimpleDataSource none = new org.postgresql.ds.PGSimpleDataSource();
                none.setURL(settings.getProperty("url"));
                none.setUser(settings.getProperty("username"));
                return none;
        }
    }

    /* HikariCP refuses a setting that it does not know; others say nothing. */
    private static Properties known(Properties settings, Class<?> bean) throws Exception {
        Set<String> properties = new HashSet<>();

        for (PropertyDescriptor property : Introspector.getBeanInfo(bean).getPropertyDescriptors()) {
            properties.add(property.getName());
        }
        for (String setting : settings.stringPropertyNames()) {
            if (!properties.contains(setting)) {
                throw new IOException("unknown setting " + setting);
            }
        }
        return settings;
    }

    /* --- callers --- */

    private void call(String mode, int caller, double seconds) throws InterruptedException {
        while (!stopping) {
            if (mode.equals("burst") && caller > 0 && quiet) {
                return;
            }
            try {
                if (mode.equals("leak")) {
                    leak(seconds);
                } else if (mode.equals("lock")) {
                    lock(seconds);
                } else if (mode.equals("transfer")) {
                    transfer(caller);
                } else {
                    work(seconds);
                }
            } catch (SQLException | RuntimeException error) { // c3p0 0.9.1 wraps some in the latter
                count(state(error));
                Thread.sleep(100);
            }
        }
    }

    private void work(double seconds) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            sleep(connection, seconds);
        }
    }

    private static void sleep(Connection connection, double seconds) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("SELECT pg_sleep(?)")) {
            statement.setDouble(1, seconds);
            statement.execute();
        }
        connection.commit();
    }

    private void leak(double seconds) throws SQLException, InterruptedException {
        Connection connection = pool.getConnection();

        sleep(connection, seconds);
        kept.add(connection);
        Thread.sleep(300);
    }

    private void lock(double seconds) throws SQLException, InterruptedException {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            execute(connection, "SELECT 1");
            Thread.sleep(1000); // all callers have one by then
            work(seconds);
            connection.commit();
        }
    }

    /* What a caller gets when all connections are taken, and when one is returned meanwhile. */
    private void limit(int size) throws SQLException {
        Deque<Connection> held = new ArrayDeque<>();
        String refusal = "nothing";
        String then = "refused";
        long began;
        long waited;

        while (held.size() < size) {
            try {
                held.add(pool.getConnection());
            } catch (SQLException error) {
                count("late"); // a login takes long on a busy machine
            }
        }
        began = System.nanoTime();
        try (Connection connection = pool.getConnection()) {
            count("more than the pool has");
        } catch (SQLException error) {
            refusal = error.getClass().getSimpleName();
        }
        waited = System.nanoTime() - began;
        begin(() -> {
            Thread.sleep(100);
            held.pop().close();
        });
        try (Connection connection = pool.getConnection()) {
            then = "served";
        } catch (SQLException error) {
            count(state(error));
        }
        say("limit", name, refusal, waited / 1_000_000, then);
    }

    /* --- transfers --- */

    private void transfer(int caller) throws SQLException, InterruptedException {
        boolean committing = false;

        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            try {
                execute(connection, "UPDATE account SET balance = balance - 1 WHERE pool = '" + name + "' AND number = " + 2 * caller);
                execute(connection, "UPDATE account SET balance = balance + 1 WHERE pool = '" + name + "' AND number = " + (2 * caller + 1));
                execute(connection, "INSERT INTO journal VALUES ('" + name + "')");
                committing = true;
                connection.commit();
                count("done");
            } catch (SQLException | RuntimeException error) {
                if (committing) {
                    count("unknown"); // it may have been done, and the answer was lost
                }
                roll_back(connection);
                throw error;
            }
        }
        Thread.sleep(pause);
    }

    private void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(timeout);
            try {
                statement.execute(sql);
            } finally {
                for (SQLWarning warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning()) {
                    count("NOTICE");
                }
            }
        }
    }

    private static void roll_back(Connection connection) {
        try {
            connection.rollback();
        } catch (SQLException | RuntimeException error) {
            // the connection is gone, and its transaction with it
        }
    }

    /* --- what is counted --- */

    private void count(String what) {
        counts.computeIfAbsent(what, key -> new LongAdder()).increment();
    }

    /* The SQLSTATE of the server, or of the driver, whatever the pool wraps around it. */
    private static String state(Throwable error) {
        String state = error.getClass().getSimpleName();

        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException && ((SQLException) cause).getSQLState() != null) {
                state = ((SQLException) cause).getSQLState();
            }
        }
        return state;
    }

    private String report() {
        StringBuilder text = new StringBuilder();

        new TreeMap<>(counts).forEach((what, count) ->
            text.append(text.length() > 0 ? " " : "").append(what).append('=').append(count));
        return text.toString();
    }

    /* --- requests at their own rate --- */

    /* For a minute after the first seconds, in which all pools open their connections. */
    private static final long WARM_UP = 10_000_000_000L;

    private void arrive(double rate, Random random, Task request) throws Exception {
        double due = started;

        while (due < started + WARM_UP + 60_000_000_000L) {
            due += -Math.log(1.0 - random.nextDouble()) / rate * 1e9;
            TimeUnit.NANOSECONDS.sleep((long) due - System.nanoTime());
            request.run();
        }
    }

    /* Requests that each take a connection for SECONDS on average. */
    private void open(double rate, double seconds) throws Exception {
        ExecutorService callers = Executors.newCachedThreadPool();
        Random random = new Random(1); // the same requests for all
        LongAdder waited = new LongAdder();
        LongAdder held = new LongAdder();

        arrive(rate, random, () -> {
            double service = -Math.log(1.0 - random.nextDouble()) * seconds;
            callers.execute(() -> {
                long came = System.nanoTime();
                long began = came;
                try (Connection connection = pool.getConnection()) {
                    began = System.nanoTime();
                    sleep(connection, service);
                } catch (SQLException error) {
                    count(state(error));
                }
                if (came - started > WARM_UP) {
                    waited.add(began - came);
                    held.add(System.nanoTime() - began);
                    count("done");
                }
            });
        });
        callers.shutdown();
        callers.awaitTermination(1, TimeUnit.MINUTES);
        say("open", name, String.format(Locale.ROOT, "wait_ratio=%.6f ", (double) waited.sum() / held.sum()) + report());
        stopping = true;
    }

    /* The same tasks in a ThreadPoolExecutor, whose threads each need a connection. */
    private void execute(int core, int max, int queue, double rate, double seconds) throws Exception {
        ThreadPoolExecutor executor = new ThreadPoolExecutor(core, max, 0, TimeUnit.SECONDS,
            queue < 0 ? new LinkedBlockingQueue<>() : new LinkedBlockingQueue<>(queue));
        Random random = new Random(1); // the same requests for all
        LongAdder waited = new LongAdder();
        LongAdder worked = new LongAdder();
        LongAdder accepted = new LongAdder();
        LongAdder refused = new LongAdder();
        double[] looks = new double[4];
        Thread observer;

        executor.prestartAllCoreThreads();
        observer = begin(() -> {
            Thread.sleep(WARM_UP / 1_000_000);
            while (!executor.isShutdown()) {
                int threads = executor.getPoolSize();

                looks[0]++;
                looks[1] += threads;
                looks[2] += threads == max ? 1 : 0;
                looks[3] += executor.getQueue().size();
                Thread.sleep(2);
            }
        });
        arrive(rate, random, () -> {
            double service = -Math.log(1.0 - random.nextDouble()) * seconds;
            long came = System.nanoTime();
            boolean counts = came - started > WARM_UP;

            try {
                executor.execute(() -> {
                    long began = System.nanoTime();

                    try {
                        work(service);
                    } catch (SQLException error) {
                        count(state(error));
                    }
                    if (counts) {
                        waited.add(began - came);
                        worked.add(System.nanoTime() - began);
                        count("done");
                    }
                });
                accepted.add(counts ? 1 : 0);
            } catch (RejectedExecutionException error) {
                refused.add(counts ? 1 : 0);
            }
        });
        double done = Math.max(1, counts.get("done").sum());
        executor.shutdownNow();
        observer.join();
        say("executor", name, String.format(Locale.ROOT,
            "threads=%.3f max_reached=%.4f queued=%.3f wait=%.6f service=%.6f accepted=%d refused=%d largest=%d ",
            looks[1] / looks[0], looks[2] / looks[0], looks[3] / looks[0], waited.sum() / done / 1e9,
            worked.sum() / done / 1e9, accepted.sum(), refused.sum(), executor.getLargestPoolSize()) + report());
    }
}
