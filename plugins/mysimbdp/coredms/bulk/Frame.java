import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Some rows, column by column. Integers are little-endian: the number of rows; then for each column that is there
 * its number, the width of a cell in bytes (-1: they differ), 1 if some cells have no value else 0; if so, a byte a
 * row, 0 for no value; if widths differ, where each cell begins in the data, and where the last one ends; the data.
 */
final class Frame {
    private static final VarHandle INTEGERS =
        MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    final byte[] bytes;
    final int rows;
    private final int[] width, valid, offsets, data; // by the number of the column; valid: 0 when all cells are

    Frame(byte[] bytes, int columns) {
        this.bytes = bytes;
        rows = integer(0);
        width = new int[columns];
        valid = new int[columns];
        offsets = new int[columns];
        data = new int[columns]; // 0: the column is not there
        for (int next = 4; next < bytes.length; ) {
            int column = integer(next);
            width[column] = integer(next + 4);
            boolean gaps = integer(next + 8) == 1;
            next += 12;
            if (gaps) {
                valid[column] = next;
                next += rows;
            }
            if (width[column] < 0) {
                offsets[column] = next;
                next += 4 * (rows + 1);
            }
            data[column] = next;
            next += width[column] < 0 ? integer(offsets[column] + 4 * rows) : width[column] * rows;
        }
    }

    /** The value as Cassandra stores it, or null when there is none. */
    ByteBuffer cell(int column, int row) {
        if (data[column] == 0 || valid[column] > 0 && bytes[valid[column] + row] == 0) return null;
        if (width[column] >= 0) return ByteBuffer.wrap(bytes, data[column] + row * width[column], width[column]);
        int from = integer(offsets[column] + 4 * row);
        return ByteBuffer.wrap(bytes, data[column] + from, integer(offsets[column] + 4 * row + 4) - from);
    }

    private int integer(int at) {
        return (int) INTEGERS.get(bytes, at);
    }
}
