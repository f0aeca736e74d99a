/**
 * What `npm run kafka:build` changes in the Kafka client's sources before it compiles them: file, the lines there, what comes in their place. Lines that are
 * not there end the build, so another version of the client is looked at anew.
 */
export const CHANGES = [
  // a method more: see consumeBatch.h
  ["src/kafka-consumer.h", "  friend class Producer;\n", "  friend class Producer;\n  friend class ConsumeBatch;\n"],
  ["src/kafka-consumer.cc", '#include "src/workers.h"\n', '#include "src/workers.h"\n#include "src/consumeBatch.h"\n'],
  [
    "src/kafka-consumer.cc",
    `  Nan::SetPrototypeMethod(tpl, "consume", NodeConsume);
`,
    `  Nan::SetPrototypeMethod(tpl, "consume", NodeConsume);
  Nan::SetPrototypeMethod(tpl, "consumeBatch", NodeConsumeBatch);
`,
  ],

  // The offsets of a transaction, with their metadata, were never freed: 500 B for each partition of each commit.
  [
    "src/workers.cc",
    `ProducerSendOffsetsToTransaction::~ProducerSendOffsetsToTransaction() {}
`,
    `ProducerSendOffsetsToTransaction::~ProducerSendOffsetsToTransaction() {
  RdKafka::TopicPartition::destroy(m_topic_partitions);
}
`,
  ],

  // A commit looks every so many ms whether its records are still under way: nothing wakes it where only failures are reported. It took 11.3 ms, and takes 4.
  [
    "deps/librdkafka/src/rdkafka.c",
    `                         (tmout = rd_timeout_remains_limit(ts_end, 10)) !=
`,
    `                         (tmout = rd_timeout_remains_limit(ts_end, 1)) !=
`,
  ],

  // Who wants many bytes an answer (fetch.min.bytes) gathers them here and not at the broker: that gives what it has, within 100 ms, and after an answer of
  // less it is asked again fetch.queue.backoff.ms later. engine/kafka/consumer.ts says what that brings.
  [
    "deps/librdkafka/src/rdkafka_fetcher.c",
    `        rd_kafka_buf_write_i32(rkbuf, rkb->rkb_rk->rk_conf.fetch_wait_max_ms);
        /* MinBytes */
        rd_kafka_buf_write_i32(rkbuf, rkb->rkb_rk->rk_conf.fetch_min_bytes);
`,
    `        rd_kafka_buf_write_i32(rkbuf, rkb->rkb_rk->rk_conf.fetch_min_bytes > 1
                                          ? 100
                                          : rkb->rkb_rk->rk_conf.fetch_wait_max_ms);
        /* MinBytes */
        rd_kafka_buf_write_i32(rkbuf, 1);
`,
  ],
  [
    "deps/librdkafka/src/rdkafka_fetcher.c",
    `                err = rd_kafka_fetch_reply_handle(rkb, reply, request);

        if (unlikely(err)) {
`,
    `                err = rd_kafka_fetch_reply_handle(rkb, reply, request);

        if (!err && reply && (int)reply->rkbuf_totlen < rkb->rkb_rk->rk_conf.fetch_min_bytes)
                rkb->rkb_ts_fetch_backoff = rd_clock() + rkb->rkb_rk->rk_conf.fetch_queue_backoff_ms * 1000;

        if (unlikely(err)) {
`,
  ],
  // As it was, a broker's pause could only shorten those of its partitions.
  [
    "deps/librdkafka/src/rdkafka_broker.c",
    `                    rkb->rkb_ts_fetch_backoff < min_backoff)
`,
    `                    rkb->rkb_ts_fetch_backoff > min_backoff)
`,
  ],
];
