import org.apache.cassandra.db.DecoratedKey;
import org.apache.cassandra.db.DeletionTime;
import org.apache.cassandra.db.rows.AbstractUnfilteredRowIterator;
import org.apache.cassandra.db.rows.EncodingStats;
import org.apache.cassandra.db.rows.Row;
import org.apache.cassandra.db.rows.Rows;
import org.apache.cassandra.db.rows.Unfiltered;

/** The rows of one partition in a sorted chunk, one at a time; those of one key are merged as a memtable would. */
final class Partition extends AbstractUnfilteredRowIterator {
    private final Chunk chunk;
    private final int end;
    private int next;
    private Row ahead;

    Partition(Columns columns, DecoratedKey key, EncodingStats stats, Chunk chunk, int from, int to) {
        super(columns.table, key, DeletionTime.LIVE, columns.table.regularAndStaticColumns(), Rows.EMPTY_STATIC_ROW,
            false, stats);
        this.chunk = chunk;
        next = from;
        end = to;
        advance();
    }

    @Override
    protected Unfiltered computeNext() {
        if (ahead == null) return endOfData();
        Row row = ahead;
        advance();
        while (ahead != null && metadata.comparator.compare(row.clustering(), ahead.clustering()) == 0) {
            row = Rows.merge(row, ahead); // the same timestamp: Cassandra's rule for ties decides
            advance();
        }
        return row;
    }

    private void advance() {
        ahead = next < end ? chunk.row(next++) : null;
    }
}
