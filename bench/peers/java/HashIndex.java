import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The index that one makes by hand who knows the three shapes of the dense mix: a hash of the equality, thresholds sorted under it.
 * A match leaves one mark where the value ends among the thresholds, so it costs the same for one rule as for hundreds under a key, and
 * what each rule has matched is summed up in the end. For one thread.
 *
 * Rules come one a line, by tab: "to" chain address value above │ "selector" selector gas price above │ "from" address value above.
 */
public final class HashIndex {
  private record Bound(int rule, long above) {}

  /** Thresholds of one key, ascending. */
  private static final class Run {
    private final long[] above;
    private final int[] rules;
    private final long[] marks;

    Run(List<Bound> bounds) {
      List<Bound> sorted = bounds.stream().sorted(Comparator.comparingLong(Bound::above)).toList();
      above = sorted.stream().mapToLong(Bound::above).toArray();
      rules = sorted.stream().mapToInt(Bound::rule).toArray();
      marks = new long[above.length + 1];
    }

    /** @return how many thresholds the value is above */
    int mark(long value) {
      int low = 0;
      for (int high = above.length; low < high; ) {
        int middle = (low + high) >>> 1;
        if (above[middle] < value) low = middle + 1;
        else high = middle;
      }
      marks[low]++;
      return low;
    }

    void sum(long[] counts) {
      long more = 0;
      for (int i = rules.length; i > 0; i--) counts[rules[i - 1]] += more += marks[i];
    }
  }

  private final Map<Integer, Map<String, Run>> byChainAndTo = new HashMap<>();
  private final Map<String, Run> bySelector;
  private final Map<String, Run> byFrom;
  private final int rules;

  public HashIndex(Path file) {
    List<String[]> lines;
    try {
      lines = Files.readAllLines(file).stream().map(line -> line.split("\t")).toList();
    } catch (IOException error) {
      throw new IllegalArgumentException("Cannot read the rules: " + error.getMessage(), error);
    }
    rules = lines.size();
    for (String chain : lines.stream().filter(each -> each[0].equals("to")).map(each -> each[1]).distinct().toList())
      byChainAndTo.put(Integer.valueOf(chain), runs(lines, new String[] {"to", chain}));
    bySelector = runs(lines, new String[] {"selector"});
    byFrom = runs(lines, new String[] {"from"});
  }

  /** Of the lines that begin like this, by what comes next. */
  private static Map<String, Run> runs(List<String[]> lines, String[] start) {
    int key = start.length;
    return IntStream.range(0, lines.size())
        .filter(rule -> Arrays.equals(lines.get(rule), 0, key, start, 0, key))
        .boxed()
        .collect(Collectors.groupingBy(
            rule -> lines.get(rule)[key],
            Collectors.collectingAndThen(
                Collectors.mapping(
                    rule -> new Bound(rule, Long.parseLong(lines.get(rule)[key + 1])), Collectors.toList()),
                Run::new)));
  }

  /** @return how many rules match */
  public int match(Transaction tx) {
    int matches = 0;
    Map<String, Run> byTo = byChainAndTo.get(tx.getChainId());
    Run run = byTo == null ? null : byTo.get(tx.getTo());
    if (run != null) matches += run.mark(tx.getValue());
    run = bySelector.get(tx.getSelector());
    if (run != null) matches += run.mark(tx.getGasPrice());
    run = byFrom.get(tx.getFrom());
    if (run != null) matches += run.mark(tx.getValue());
    return matches;
  }

  /** Matches by rule so far. */
  public long[] counts() {
    long[] counts = new long[rules];
    for (Map<String, Run> runs : byChainAndTo.values()) for (Run run : runs.values()) run.sum(counts);
    for (Run run : bySelector.values()) run.sum(counts);
    for (Run run : byFrom.values()) run.sum(counts);
    return counts;
  }
}
