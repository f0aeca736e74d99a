import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A consumer a core, each with an index of its own: what one writes by hand. Arguments: brokers topic group rules threads. */
public final class PlainConsumer {
  /** Read committed; fetches as large as they help: a fetch may answer 50 MB, 1 MB a partition, a poll what is there. */
  static Properties consumer(String brokers, String group) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", brokers);
    properties.put("group.id", group);
    properties.put("auto.offset.reset", "earliest");
    properties.put("isolation.level", "read_committed");
    properties.put("max.poll.records", "10000");
    properties.put("max.partition.fetch.bytes", "1048576");
    properties.put("receive.buffer.bytes", "1048576");
    properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
    properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
    return properties;
  }

  public static void main(String[] args) {
    for (int thread = 0; thread < Integer.parseInt(args[4]); thread++) {
      new Thread(() -> run(args)).start();
    }
    Tally.report();
  }

  private static void run(String[] args) {
    HashIndex index = new HashIndex(Path.of(args[3]));
    Tally tally = new Tally(index::counts);
    Transaction tx = new Transaction();
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(consumer(args[0], args[2]))) {
      consumer.subscribe(List.of(args[1]));
      while (true)
        for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofMillis(100)))
          tally.add(index.match(tx.read(each.value())));
    } catch (Throwable error) {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }
}
