import java.rmi.NotBoundException;
import java.rmi.RemoteException;
import javax.management.InstanceNotFoundException;
import org.apache.cassandra.exceptions.InvalidRequestException;
import org.apache.cassandra.serializers.MarshalException;

/** Why it ended; program.py goes by `kind`: refused (a row), missing (table, column), denied, unreachable, failed. */
@SuppressWarnings("serial")
final class Fault extends Exception {
    final String kind;

    Fault(String kind, String message) {
        super(message);
        this.kind = kind;
    }

    static Fault of(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof Fault fault) return fault;
            if (cause instanceof InvalidRequestException || cause instanceof MarshalException)
                return new Fault("refused", cause.getMessage());
            if (cause instanceof InstanceNotFoundException)
                return new Fault("missing", "the table does not exist: " + cause.getMessage());
            if (cause instanceof SecurityException) return new Fault("denied", cause.getMessage());
            if (cause instanceof RemoteException || cause instanceof NotBoundException)
                return new Fault("unreachable", cause.getMessage());
        }
        thrown.printStackTrace();
        return new Fault("failed", String.valueOf(thrown));
    }
}
