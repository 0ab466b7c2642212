import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.cassandra.config.DatabaseDescriptor;
import org.apache.cassandra.cql3.Validation;
import org.apache.cassandra.cql3.statements.schema.CreateTableStatement;
import org.apache.cassandra.db.DecoratedKey;
import org.apache.cassandra.db.SerializationHeader;
import org.apache.cassandra.db.rows.EncodingStats;
import org.apache.cassandra.dht.Murmur3Partitioner;
import org.apache.cassandra.io.sstable.Descriptor;
import org.apache.cassandra.io.sstable.SSTableTxnWriter;
import org.apache.cassandra.io.sstable.SequenceBasedSSTableId;
import org.apache.cassandra.io.util.File;
import org.apache.cassandra.schema.TableMetadata;
import org.apache.cassandra.schema.TableMetadataRef;

/**
 * Writes the rows that come in on standard input as SSTables and has a Cassandra node import them.
 *
 * Standard input: the order (see {@link #main}), then frames of rows (see {@link Frame}), a frame of length 0, and then
 * nothing, but it stays open: when it ends, whoever gave the order has gone or changed his mind, and an import that has
 * not begun never does. One that has begun is seen to its end, since the node moves the files meanwhile.
 * Standard output: "importing" before the node is asked, then "done ROWS" or "error KIND MESSAGE".
 *
 * Why not CQLSSTableWriter: it builds the Bloom filter of every SSTable for 0 keys, so that each read would search all
 * of them. Here is the same SSTableTxnWriter below it, told how many partitions will come (decision 009).
 */
public final class SSTables {
    private static final int WRITERS = 2;

    private final Columns columns;
    private final Path folder;
    private final AtomicInteger sstables = new AtomicInteger();
    private final ExecutorService writers = Executors.newFixedThreadPool(WRITERS);
    private final Semaphore places = new Semaphore(WRITERS);
    private final List<Future<?>> written = new ArrayList<>();
    private volatile boolean orphaned;

    private SSTables(Columns columns, Path folder) {
        this.columns = columns;
        this.folder = folder;
    }

    /** The order: JMX host, port, login, password; folder; keyspace, table, its CREATE; timestamp; columns. */
    public static void main(String[] none) {
        PrintStream answers = System.out;
        System.setOut(System.err); // whatever else talks
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 20));
        Path folder = null;
        SSTables load = null;
        boolean nodeIsAtIt = false;
        try {
            Node node = new Node(text(in), Integer.parseInt(text(in)), text(in), text(in));
            folder = Path.of(text(in));
            Path files = Files.createDirectories(folder.resolve("sstables"));
            String keyspace = text(in), name = text(in), create = text(in);
            DatabaseDescriptor.clientInitialization();
            DatabaseDescriptor.setPartitionerUnsafe(Murmur3Partitioner.instance);
            TableMetadata table = CreateTableStatement.parse(create, keyspace)
                .partitioner(Murmur3Partitioner.instance).build();
            load = new SSTables(new Columns(table, in.readLong(), text(in).split(",")), files);
            long rows = load.writeAll(in);
            if (load.orphaned) throw new EOFException("nobody waits for it any more");
            if (rows > 0) {
                answers.println("importing");
                answers.flush();
                nodeIsAtIt = true;
                node.importAll(keyspace, name, files);
                nodeIsAtIt = false;
            }
            answers.println("done " + rows);
        } catch (Throwable thrown) {
            Fault fault = Fault.of(thrown);
            nodeIsAtIt &= fault.kind.equals("unreachable"); // whatever else it says, it has stopped
            answers.println("error " + fault.kind + " " + fault.getMessage().replaceAll("\\s+", " "));
        }
        answers.flush();
        try {
            if (load != null) load.stop();
            if (folder != null && !nodeIsAtIt && Files.exists(folder)) new File(folder).deleteRecursive();
        } catch (Throwable thrown) {
            thrown.printStackTrace(); // what is left is removed by a later load
        } finally {
            Runtime.getRuntime().halt(0); // Cassandra's own threads would go on
        }
    }

    /** Read all frames, write an SSTable for each chunk of them; returns how many rows there were. */
    private long writeAll(DataInputStream in) throws Exception {
        long rows = 0;
        Chunk chunk = new Chunk(columns);
        for (int length = in.readInt(); length > 0; length = in.readInt()) {
            byte[] bytes = new byte[length];
            in.readFully(bytes);
            Frame frame = new Frame(bytes, columns.sent.length);
            if (!chunk.fits(frame)) {
                hand(chunk);
                chunk = new Chunk(columns);
            }
            chunk.add(frame);
            rows += frame.rows;
        }
        Thread watch = new Thread(() -> {
            try {
                orphaned = in.read() < 0;
            } catch (IOException gone) {
                orphaned = true;
            }
        });
        watch.setDaemon(true);
        watch.start();
        if (chunk.count > 0) hand(chunk);
        for (Future<?> each : written) each.get();
        return rows;
    }

    /** Have a writer write `chunk`, as soon as one is free: there are never more than WRITERS + 1 chunks in memory. */
    private void hand(Chunk chunk) throws Exception {
        places.acquire();
        for (Future<?> each : written) if (each.isDone()) each.get(); // a fault ends the load now, not after the last row
        written.add(writers.submit(() -> {
            try {
                write(chunk);
            } finally {
                places.release();
            }
            return null;
        }));
    }

    private void stop() throws InterruptedException {
        writers.shutdownNow();
        writers.awaitTermination(1, TimeUnit.MINUTES);
    }

    private void write(Chunk chunk) throws IOException {
        int partitions = chunk.sort();
        TableMetadata table = columns.table;
        Descriptor files = new Descriptor(new File(folder), table.keyspace, table.name,
            new SequenceBasedSSTableId(sstables.incrementAndGet()), DatabaseDescriptor.getSelectedSSTableFormat());
        EncodingStats stats = new EncodingStats(
            columns.timestamp, EncodingStats.NO_STATS.minLocalDeletionTime, EncodingStats.NO_STATS.minTTL);
        SerializationHeader header = new SerializationHeader(true, table, table.regularAndStaticColumns(), stats);
        SSTableTxnWriter writer = SSTableTxnWriter.create(
            TableMetadataRef.forOfflineTools(table), files, partitions, 0, null, false, header, List.of(), null);
        try {
            for (int from = 0, to; from < chunk.count; from = to) {
                DecoratedKey key = chunk.key(from);
                Validation.validateKey(table, key.getKey());
                for (to = from + 1; to < chunk.count && chunk.key(to).equals(key);) to++;
                writer.append(new Partition(columns, key, stats, chunk, from, to));
            }
            writer.finish(false);
        } catch (Throwable thrown) {
            writer.abort();
            throw thrown;
        }
    }

    private static String text(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
