import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.cassandra.db.Clustering;
import org.apache.cassandra.db.DecoratedKey;
import org.apache.cassandra.db.LivenessInfo;
import org.apache.cassandra.db.marshal.ByteBufferAccessor;
import org.apache.cassandra.db.marshal.CompositeType;
import org.apache.cassandra.db.rows.BTreeRow;
import org.apache.cassandra.db.rows.BufferCell;
import org.apache.cassandra.db.rows.Row;
import org.apache.cassandra.dht.Murmur3Partitioner;
import org.apache.cassandra.exceptions.InvalidRequestException;
import org.apache.cassandra.utils.FBUtilities;

/** Rows that become one SSTable: what is sorted in memory at once, of any number of frames. */
final class Chunk {
    private static final int MAX_BYTES = 64 << 20;
    private static final int INDEX_BITS = 19;
    private static final int MAX_ROWS = 1 << INDEX_BITS;
    private static final long INDEX_MASK = MAX_ROWS - 1;

    private final Columns columns;
    private final List<Frame> frames = new ArrayList<>();
    private long bytes;
    int count;
    private long[] order; // upper bits of the token, then where the row is in the arrays below
    private Frame[] frame;
    private int[] number; // of the row in its frame
    private final Row.Builder builder = BTreeRow.sortedBuilder();

    Chunk(Columns columns) {
        this.columns = columns;
    }

    boolean fits(Frame more) {
        return frames.isEmpty() || bytes + more.bytes.length <= MAX_BYTES && count + more.rows <= MAX_ROWS;
    }

    void add(Frame more) {
        frames.add(more);
        bytes += more.bytes.length;
        count += more.rows;
    }

    /** Put the rows in the order of an SSTable; returns how many partitions there are, or nearly. */
    int sort() {
        order = new long[count];
        frame = new Frame[count];
        number = new int[count];
        int next = 0;
        for (Frame each : frames) {
            for (int i = 0; i < each.rows; i++, next++) {
                frame[next] = each;
                number[next] = i;
                order[next] = next;
                order[next] |= key(next).getToken().getLongValue() & ~INDEX_MASK;
            }
        }
        Arrays.sort(order);
        int partitions = 0;
        for (int from = 0, to; from < count; from = to, partitions++) {
            for (to = from + 1; to < count && (order[to] & ~INDEX_MASK) == (order[from] & ~INDEX_MASK); to++) {}
            settle(from, to);
        }
        return partitions;
    }

    /** Rows of one partition, most likely; otherwise their tokens differ in lower bits, or only their keys do. */
    private void settle(int from, int to) {
        if (to - from == 1) return;
        DecoratedKey first = key(from);
        boolean same = true;
        for (int i = from + 1; same && i < to; i++) same = key(i).equals(first);
        if (same && columns.clusteringKey.length == 0) return;
        Comparator<Long> clusterings = Comparator.comparing(this::clusteringOf, columns.table.comparator);
        Long[] run = Arrays.stream(order, from, to).boxed().toArray(Long[]::new);
        Arrays.sort(run, same ? clusterings : Comparator.comparing(this::keyOf).thenComparing(clusterings));
        for (int i = from; i < to; i++) order[i] = run[i - from];
    }

    DecoratedKey key(int position) {
        return keyOf(order[position]);
    }

    private DecoratedKey keyOf(long entry) {
        int at = (int) (entry & INDEX_MASK);
        ByteBuffer[] parts = parts(columns.partitionKey, at);
        ByteBuffer key = parts.length == 1 ? parts[0] : CompositeType.build(ByteBufferAccessor.instance, parts);
        return Murmur3Partitioner.instance.decorateKey(key);
    }

    private ByteBuffer[] parts(int[] of, int at) {
        ByteBuffer[] parts = new ByteBuffer[of.length];
        for (int i = 0; i < of.length; i++) {
            parts[i] = frame[at].cell(of[i], number[at]);
            if (parts[i] == null)
                throw new InvalidRequestException("no value for key column " + columns.sent[of[i]].name);
        }
        return parts;
    }

    private Clustering<?> clusteringOf(long entry) {
        if (columns.clusteringKey.length == 0) return Clustering.EMPTY;
        return Clustering.make(parts(columns.clusteringKey, (int) (entry & INDEX_MASK)));
    }

    Row row(int position) {
        Clustering<?> clustering = clusteringOf(order[position]);
        clustering.validate();
        if (clustering.dataSize() > FBUtilities.MAX_UNSIGNED_SHORT)
            throw new InvalidRequestException("the clustering key is too long: " + clustering.dataSize()
                + " bytes, at most " + FBUtilities.MAX_UNSIGNED_SHORT);
        int at = (int) (order[position] & INDEX_MASK);
        builder.newRow(clustering);
        builder.addPrimaryKeyLivenessInfo(LivenessInfo.create(columns.timestamp, LivenessInfo.NO_EXPIRATION_TIME));
        for (int column : columns.others) {
            ByteBuffer value = frame[at].cell(column, number[at]);
            if (value != null) builder.addCell(BufferCell.live(columns.sent[column], columns.timestamp, value));
        }
        return builder.build();
    }
}
