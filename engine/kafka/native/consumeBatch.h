// A consumer method that the Kafka client lacks: consumeBatch(timeoutMs, limit, callback) reads what librdkafka has ready into one
// ArrayBuffer. The client's own `consume` makes an object of nine properties and a Buffer for each record, 7 us; this takes 0.5.
// `npm run kafka:build` puts it into the client's sources when it compiles them; engine/kafka/consumeBatch.ts reads what it gives:
//
//     callback(error | null, bytes, count, topics, contentTypes, late error | null)
//
//     bytes  table: count x 32 B                                                                                    payload
//            f64 offset | f64 time, ms, -1 none | u32 start | u32 length, 2^32 - 1 none | i32 partition | u16 topic | u16 content type
//
// `start` counts from the beginning of the buffer. `topics` and `contentTypes` are lists of strings that the table's last two columns
// are places in; 65,535 stands for a record without a header `content-type`. Other headers, and keys, are left out.
//
// Everything but the one call back runs in libuv's thread pool; the client's callbacks (rebalance, commits) are served there too, as by
// its own `consume`. A record that is an error, of which there are few kinds, ends the batch: the records before it are given, and it is
// the late error.
#ifndef SRC_CONSUME_BATCH_H_
#define SRC_CONSUME_BATCH_H_

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/kafka-consumer.h"
#include "src/workers.h"

namespace NodeKafka {

class ConsumeBatch : public Workers::ErrorAwareWorker {
 public:
  ConsumeBatch(Nan::Callback* callback, KafkaConsumer* consumer, int timeout_ms, uint32_t limit)
      : ErrorAwareWorker(callback), m_consumer(consumer), m_timeout_ms(timeout_ms), m_messages(limit) {}

  ~ConsumeBatch() { std::free(m_bytes); }

  void Execute() override {
    scoped_shared_read_lock lock(m_consumer->m_connection_lock);
    if (!m_consumer->IsConnected()) {
      return SetErrorBaton(Baton(RdKafka::ERR__STATE, "KafkaConsumer is not connected"));
    }
    rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(m_consumer->m_client->c_ptr());
    // What is there; else the first that comes, and what came with it. librdkafka itself would wait until all places are filled.
    size_t taken = Take(queue, 0, 0, m_messages.size());
    if (taken == 0 && m_timeout_ms > 0) {
      taken = Take(queue, m_timeout_ms, 0, 1);
      if (taken == 1) taken += Take(queue, 0, 1, m_messages.size() - 1);
    }
    rd_kafka_queue_destroy(queue);
    m_messages.resize(taken);
    Pack();
    for (rd_kafka_message_t* message : m_messages) rd_kafka_message_destroy(message);
  }

  void HandleOKCallback() override {
    Nan::HandleScope scope;
    v8::Isolate* isolate = v8::Isolate::GetCurrent();
    std::unique_ptr<v8::BackingStore> store = v8::ArrayBuffer::NewBackingStore(
        m_bytes, m_size, [](void* data, size_t, void*) { std::free(data); }, nullptr);
    m_bytes = nullptr;  // the buffer's from here on
    v8::Local<v8::Value> late = Nan::Null();
    if (m_late != RD_KAFKA_RESP_ERR_NO_ERROR) late = Baton(static_cast<RdKafka::ErrorCode>(m_late)).ToObject();
    v8::Local<v8::Value> argv[] = {Nan::Null(),        v8::ArrayBuffer::New(isolate, std::move(store)),
                                   Nan::New(m_count),  m_topics.ToArray(),
                                   m_content_types.ToArray(), late};
    callback->Call(6, argv);
  }

 private:
  static const uint32_t kNoValue = 0xffffffff;
  static const uint16_t kNoName = 0xffff;

  struct Entry {
    double offset;
    double time;
    uint32_t start;
    uint32_t length;
    int32_t partition;
    uint16_t topic;
    uint16_t content_type;
  };
  static_assert(sizeof(Entry) == 32, "the table's layout is a contract");

  /** Strings by the order in which they were first seen. */
  struct Names {
    std::unordered_map<std::string, uint16_t> places;
    std::vector<std::string> list;

    uint16_t Place(const std::string& name) {
      auto found = places.find(name);
      if (found != places.end()) return found->second;
      if (list.size() == kNoName) return kNoName;
      uint16_t place = static_cast<uint16_t>(list.size());
      places.emplace(name, place);
      list.push_back(name);
      return place;
    }

    v8::Local<v8::Array> ToArray() const {
      v8::Local<v8::Array> array = Nan::New<v8::Array>();
      for (uint32_t i = 0; i < list.size(); i++) {
        Nan::Set(array, i, Nan::Encode(list[i].data(), list[i].size(), Nan::Encoding::BINARY));
      }
      return array;
    }
  };

  size_t Take(rd_kafka_queue_t* queue, int timeout_ms, size_t from, size_t most) {
    if (most == 0) return 0;
    ssize_t taken = rd_kafka_consume_batch_queue(queue, timeout_ms, m_messages.data() + from, most);
    return taken < 0 ? 0 : static_cast<size_t>(taken);
  }

  /** Copies the records into one block. An error without records before it is the batch's. */
  void Pack() {
    size_t payload = 0;
    for (rd_kafka_message_t* message : m_messages) {
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (m_late == RD_KAFKA_RESP_ERR_NO_ERROR) m_late = message->err;
        continue;
      }
      m_count++;
      payload += message->len;
    }
    if (m_count == 0 && m_late != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return SetErrorBaton(Baton(static_cast<RdKafka::ErrorCode>(m_late)));
    }
    m_size = m_count * sizeof(Entry) + payload;
    if (m_size == 0) return;
    m_bytes = static_cast<uint8_t*>(std::malloc(m_size));
    if (m_bytes == nullptr) {
      // The records are lost to this consumer, so it must not go on: its owner begins again from what is committed.
      return SetErrorBaton(Baton(RdKafka::ERR__FATAL, "No memory for a batch of records"));
    }
    Entry* entry = reinterpret_cast<Entry*>(m_bytes);
    size_t at = m_count * sizeof(Entry);
    for (rd_kafka_message_t* message : m_messages) {
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      entry->offset = static_cast<double>(message->offset);
      entry->time = static_cast<double>(rd_kafka_message_timestamp(message, nullptr));
      entry->start = static_cast<uint32_t>(at);
      entry->length = message->payload == nullptr ? kNoValue : static_cast<uint32_t>(message->len);
      entry->partition = message->partition;
      entry->topic = TopicOf(message);
      entry->content_type = ContentTypeOf(message);
      if (message->payload != nullptr) std::memcpy(m_bytes + at, message->payload, message->len);
      at += message->len;
      entry++;
    }
  }

  uint16_t TopicOf(rd_kafka_message_t* message) {
    if (message->rkt != m_last_topic) {
      m_last_topic = message->rkt;
      m_last_place = m_topics.Place(rd_kafka_topic_name(message->rkt));
    }
    return m_last_place;
  }

  uint16_t ContentTypeOf(rd_kafka_message_t* message) {
    rd_kafka_headers_t* headers;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return kNoName;
    const void* value;
    size_t length;
    if (rd_kafka_header_get(headers, 0, "content-type", &value, &length) != RD_KAFKA_RESP_ERR_NO_ERROR) return kNoName;
    return m_content_types.Place(std::string(static_cast<const char*>(value), value == nullptr ? 0 : length));
  }

  KafkaConsumer* m_consumer;
  int m_timeout_ms;
  std::vector<rd_kafka_message_t*> m_messages;
  uint8_t* m_bytes = nullptr;
  size_t m_size = 0;
  uint32_t m_count = 0;
  Names m_topics;
  Names m_content_types;
  rd_kafka_topic_t* m_last_topic = nullptr;
  uint16_t m_last_place = kNoName;
  rd_kafka_resp_err_t m_late = RD_KAFKA_RESP_ERR_NO_ERROR;
};

/** consumeBatch(timeoutMs, limit, callback): see above. Throws on anything but two numbers, the second over 0, and a function. */
inline NAN_METHOD(NodeConsumeBatch) {
  if (!info[0]->IsUint32() || !info[1]->IsUint32() || !info[2]->IsFunction()) {
    return Nan::ThrowError("Need to specify a timeout, a limit and a callback");
  }
  uint32_t timeout_ms = Nan::To<uint32_t>(info[0]).FromJust();
  uint32_t limit = Nan::To<uint32_t>(info[1]).FromJust();
  if (limit == 0) return Nan::ThrowError("Need to specify a limit over 0");
  KafkaConsumer* consumer = Nan::ObjectWrap::Unwrap<KafkaConsumer>(info.This());
  Nan::Callback* callback = new Nan::Callback(info[2].As<v8::Function>());
  Nan::AsyncQueueWorker(new ConsumeBatch(callback, consumer, static_cast<int>(timeout_ms), limit));
}

}  // namespace NodeKafka

#endif  // SRC_CONSUME_BATCH_H_
