import com.espertech.esper.runtime.client.EPEventService;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Esper behind a consumer a core, all with one runtime. Arguments: brokers topic group statements threads. */
public final class EsperKafkaPeer {
  /** An event, and what the thread that sends it counts with. */
  public static final class Event extends Transaction {
    private final long[] counts;
    private int matches;

    Event(long[] counts) { this.counts = counts; }
  }

  /** What each statement calls with the event that matched. */
  public static final class Subscriber {
    private final int rule;

    Subscriber(int rule) { this.rule = rule; }

    public void update(Event event) {
      event.counts[rule]++;
      event.matches++;
    }
  }

  public static void main(String[] args) throws Exception {
    int rules = (int) java.nio.file.Files.lines(Path.of(args[3])).count();
    EPEventService events = EsperRules.deploy(Path.of(args[3]), Event.class, Subscriber::new);
    for (int thread = 0; thread < Integer.parseInt(args[4]); thread++) new Thread(() -> run(args, events, rules)).start();
    Tally.report();
  }

  private static void run(String[] args, EPEventService events, int rules) {
    long[] counts = new long[rules];
    Tally tally = new Tally(() -> counts);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(PlainConsumer.consumer(args[0], args[2]))) {
      consumer.subscribe(List.of(args[1]));
      while (true)
        for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofMillis(100))) {
          Event event = new Event(counts);
          event.read(each.value());
          events.sendEventBean(event, "Tx");
          tally.add(event.matches);
        }
    } catch (Throwable error) {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }
}
