import java.nio.file.Path;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFilterFunction;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** Flink in its embedded cluster, source and filter in one chain, objects reused, no checkpoints. Arguments: brokers topic group rules threads. */
public final class FlinkPeer {
  private static final class Bytes extends AbstractDeserializationSchema<byte[]> {
    @Override
    public byte[] deserialize(byte[] message) {
      return message;
    }
  }

  /** Lets nothing through: what it has seen is in its tally. */
  private static final class Matcher extends RichFilterFunction<byte[]> {
    private final String rules;
    private transient HashIndex index;
    private transient Tally tally;
    private transient Transaction tx;

    Matcher(String rules) {
      this.rules = rules;
    }

    @Override
    public void open(OpenContext context) {
      index = new HashIndex(Path.of(rules));
      tally = new Tally(index::counts);
      tx = new Transaction();
    }

    @Override
    public boolean filter(byte[] json) {
      tally.add(index.match(tx.read(json)));
      return false;
    }
  }

  public static void main(String[] args) throws Exception {
    Properties consumer = PlainConsumer.consumer(args[0], args[2]);
    consumer.remove("key.deserializer");
    consumer.remove("value.deserializer");
    KafkaSource<byte[]> source =
        KafkaSource.<byte[]>builder()
            .setProperties(consumer)
            .setTopics(args[1])
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setDeserializer(KafkaRecordDeserializationSchema.valueOnly(new Bytes()))
            .build();
    Configuration none = new Configuration();
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(Integer.parseInt(args[4]), none);
    environment.getConfig().enableObjectReuse();
    environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), "transactions")
        .filter(new Matcher(args[3]))
        .sinkTo(new DiscardingSink<>());
    environment.executeAsync("peer").getJobExecutionResult().whenComplete((result, error) -> {
      if (error != null) error.printStackTrace();
      Runtime.getRuntime().halt(1); // the stream has no end
    });
    Tally.report();
  }
}
