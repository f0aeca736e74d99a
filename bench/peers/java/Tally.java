import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * What one thread of a peer has done, told to the harness: a line "transactions matches" on stdout, of all threads together, whenever
 * it has changed; on each line of stdin one with what every rule has matched; the end of stdin is the end.
 */
public final class Tally {
  private static final List<Tally> ALL = new CopyOnWriteArrayList<>();
  private static final int LOOK_MS = 5;

  private final Supplier<long[]> counts;
  private final AtomicLong transactions = new AtomicLong();
  private final AtomicLong matches = new AtomicLong();
  private long ownMatches;
  private long ownTransactions;

  /** @param counts matches by rule: asked for when all is done */
  public Tally(Supplier<long[]> counts) {
    this.counts = counts;
    ALL.add(this);
  }

  /** Called by its one thread for each transaction: nobody waits for it. */
  public void add(int matched) {
    matches.lazySet(ownMatches += matched);
    transactions.lazySet(++ownTransactions);
  }

  /** Reports until stdin ends, then ends the process. */
  public static void report() {
    Thread asked = new Thread(Tally::answer);
    asked.setDaemon(true);
    asked.start();
    for (long told = 0; ; ) {
      long transactions = 0;
      for (Tally each : ALL) transactions += each.transactions.get();
      long matches = 0;
      for (Tally each : ALL) matches += each.matches.get();
      if (transactions != told) say(transactions + " " + matches);
      told = transactions;
      try {
        Thread.sleep(LOOK_MS);
      } catch (InterruptedException stop) {
        return;
      }
    }
  }

  private static void answer() {
    try {
      while (true) {
        int read = System.in.read();
        if (read == -1) Runtime.getRuntime().halt(0);
        if (read != '\n') continue;
        long[] sums = null;
        for (Tally each : ALL) {
          long[] more = each.counts.get();
          if (sums == null) sums = new long[more.length];
          for (int i = 0; i < more.length; i++) sums[i] += more[i];
        }
        StringBuilder text = new StringBuilder("counts");
        if (sums != null) for (long sum : sums) text.append(' ').append(sum);
        say(text.toString());
      }
    } catch (java.io.IOException error) {
      Runtime.getRuntime().halt(1);
    }
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
