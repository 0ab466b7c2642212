import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.rmi.registry.LocateRegistry;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.management.JMX;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.rmi.RMIConnector;
import javax.management.remote.rmi.RMIServer;
import org.apache.cassandra.db.ColumnFamilyStoreMBean;

/** The node, over JMX. */
final class Node {
    private final MBeanServerConnection beans;

    Node(String host, int port, String login, String password) throws Exception {
        // Not by its URL: that needs jdk.naming.rmi, which a small JRE leaves out.
        RMIServer server = (RMIServer) LocateRegistry.getRegistry(host, port).lookup("jmxrmi");
        JMXConnector connector = new RMIConnector(server, Map.of());
        connector.connect(Map.of(JMXConnector.CREDENTIALS, new String[] {login, password}));
        beans = connector.getMBeanServerConnection();
    }

    /** Have the node take over the SSTables in `folder`: all rows in them can be read when this returns. */
    void importAll(String keyspace, String name, Path folder) throws Exception {
        ObjectName bean = new ObjectName("org.apache.cassandra.db:type=Tables,keyspace=" + keyspace + ",table=" + name);
        ColumnFamilyStoreMBean table = JMX.newMBeanProxy(beans, bean, ColumnFamilyStoreMBean.class);
        boolean verify = false, copy = false; // written here a moment ago, and to be renamed
        List<String> failed =
            table.importNewSSTables(Set.of(folder.toString()), true, true, verify, verify, true, verify, copy);
        if (!failed.isEmpty()) throw new Fault("failed", "the node could not import the SSTables; its log says why");
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, "*-Data.db")) {
            if (left.iterator().hasNext())
                throw new Fault("failed", "the node did not see the SSTables: has it storage_compatibility_mode NONE?");
        }
    }
}
