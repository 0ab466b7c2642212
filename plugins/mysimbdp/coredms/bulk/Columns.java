import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.cassandra.cql3.ColumnIdentifier;
import org.apache.cassandra.schema.ColumnMetadata;
import org.apache.cassandra.schema.TableMetadata;

/** What the columns of the frames are in the table, and the timestamp that all cells get. */
final class Columns {
    final TableMetadata table;
    final long timestamp;
    final ColumnMetadata[] sent; // by the numbers that frames use
    final int[] partitionKey, clusteringKey, others; // such numbers; `others` in the order that cells have in a row

    Columns(TableMetadata table, long timestamp, String[] names) throws Fault {
        this.table = table;
        this.timestamp = timestamp;
        sent = new ColumnMetadata[names.length];
        for (int i = 0; i < names.length; i++) {
            sent[i] = table.getColumn(new ColumnIdentifier(names[i], true));
            if (sent[i] == null) throw new Fault("missing", "table " + table + " has no column " + names[i]);
        }
        List<ColumnMetadata> regular = new ArrayList<>(Arrays.asList(sent));
        regular.removeIf(ColumnMetadata::isPrimaryKeyColumn);
        regular.sort(Comparator.naturalOrder());
        partitionKey = numbers(table.partitionKeyColumns());
        clusteringKey = numbers(table.clusteringColumns());
        others = numbers(regular);
    }

    private int[] numbers(List<ColumnMetadata> columns) throws Fault {
        int[] numbers = columns.stream().mapToInt(Arrays.asList(sent)::indexOf).toArray();
        for (int i = 0; i < numbers.length; i++)
            if (numbers[i] < 0) throw new Fault("missing", "key column " + columns.get(i).name + " is not sent");
        return numbers;
    }
}
