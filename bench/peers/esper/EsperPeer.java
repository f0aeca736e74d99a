import com.espertech.esper.runtime.client.EPEventService;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Esper over transactions in memory, one thread.
 *
 * arguments: statements (see EsperRules), transactions (one a line,
 * fields by tab: chainId from to selector nonce value gasPrice), runs, least seconds a run. Prints a line of JSON.
 */
public final class EsperPeer {
  /** Run 0, which does not count: the compiler of the JVM takes its time with 10,000 statements. */
  private static final double WARM_UP_SECONDS = 4;

  public static final class Tx {
    final int number;
    private final int chainId;
    private final String from;
    private final String to;
    private final String selector;
    private final long nonce;
    private final long value;
    private final long gasPrice;

    Tx(int number, String line) {
      String[] fields = line.split("\t", -1);
      this.number = number;
      chainId = Integer.parseInt(fields[0]);
      from = fields[1];
      to = fields[2];
      selector = fields[3];
      nonce = Long.parseLong(fields[4]);
      value = Long.parseLong(fields[5]);
      gasPrice = Long.parseLong(fields[6]);
    }

    public int getChainId() { return chainId; }
    public String getFrom() { return from; }
    public String getTo() { return to; }
    public String getSelector() { return selector; }
    public long getNonce() { return nonce; }
    public long getValue() { return value; }
    public long getGasPrice() { return gasPrice; }
  }

  private static long matches;
  private static int checksum;

  /** What each statement calls with the event that matched. */
  public static final class Subscriber {
    private final int rule;

    Subscriber(int rule) { this.rule = rule; }

    public void update(Tx tx) {
      matches++;
      checksum += (((tx.number + 1) * 0x9e3779b1) ^ ((rule + 1) * 0x85ebca6b)) * 0xc2b2ae35;
    }
  }

  public static void main(String[] args) throws Exception {
    List<Tx> transactions = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(args[1]))) transactions.add(new Tx(transactions.size(), line));

    long began = System.nanoTime();
    EPEventService events = EsperRules.deploy(Path.of(args[0]), Tx.class, Subscriber::new);
    double deploySeconds = (System.nanoTime() - began) / 1e9;

    for (Tx tx : transactions) events.sendEventBean(tx, "Tx");
    String counts = "\"matches\":" + matches + ",\"checksum\":" + Integer.toUnsignedLong(checksum);

    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    StringBuilder microseconds = new StringBuilder();
    double seconds = Double.parseDouble(args[3]);
    for (int run = 0; run <= Integer.parseInt(args[2]); run++) {
      long start = System.nanoTime();
      long cpu = threads.getCurrentThreadCpuTime();
      long sent = 0;
      do {
        for (Tx tx : transactions) events.sendEventBean(tx, "Tx");
        sent += transactions.size();
      } while (System.nanoTime() - start < (run == 0 ? WARM_UP_SECONDS : seconds) * 1e9);
      double each = (threads.getCurrentThreadCpuTime() - cpu) / 1e3 / sent;
      if (run > 0) microseconds.append(run > 1 ? "," : "").append(each);
    }
    System.out.println("{\"deploySeconds\":" + deploySeconds + "," + counts + ",\"microseconds\":[" + microseconds + "]}");
  }
}
