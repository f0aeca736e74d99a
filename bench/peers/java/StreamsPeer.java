import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;

/** Kafka Streams, a processor a task with an index of its own, at least once. Arguments: brokers topic group rules threads. */
public final class StreamsPeer {
  private static final class Matcher implements Processor<byte[], byte[], Void, Void> {
    private final HashIndex index;
    private final Tally tally;
    private final Transaction tx = new Transaction();

    Matcher(Path rules) {
      index = new HashIndex(rules);
      tally = new Tally(index::counts);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      tally.add(index.match(tx.read(record.value())));
    }
  }

  public static void main(String[] args) throws Exception {
    StreamsBuilder builder = new StreamsBuilder();
    builder
        .stream(args[1], Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
        .process(() -> new Matcher(Path.of(args[3])));
    Path state = Files.createTempDirectory("weir-streams-");
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, args[2]);
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[4]);
    properties.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
    // its defaults, 1,000 records a poll and a pause at 1,000 a partition, are made for heavier work
    properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "20000");
    Properties consumer = PlainConsumer.consumer(args[0], args[2]);
    for (String name : new String[] {"isolation.level", "max.poll.records", "max.partition.fetch.bytes", "receive.buffer.bytes", "auto.offset.reset"})
      properties.put(StreamsConfig.consumerPrefix(name), consumer.get(name));
    KafkaStreams streams = new KafkaStreams(builder.build(), properties);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    });
    streams.start();
    Tally.report();
  }
}
