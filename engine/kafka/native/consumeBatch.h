// A consumer method that the Kafka client lacks: consumeBatch(timeoutMs, limit, spare, callback) reads what librdkafka has ready into one
// SharedArrayBuffer. The client's own `consume` makes an object of nine properties and a Buffer for each record, 7 us; this takes 0.5.
// `npm run kafka:build` puts it into the client's sources when it compiles them; engine/kafka/consumeBatch.ts reads what it gives:
//
//     callback(error | null, bytes | null, partitions, topics, contentTypes, late error | null)
//
//     bytes  table: 32 B a record, those of a partition together, by offset; then the values in the same order, one behind the other
//            f64 offset | f64 time, ms, -1 none | u32 start | u32 length, 2^32 - 1 none or empty | u32 content type | u32 looks like a block's
//
// `start` counts from the beginning of the buffer. `partitions` has five numbers for each one that there are records of: its topic's place in
// `topics`, its number, how many records, bytes of their values, and how many of them look like a block's. A content type is its place in
// `contentTypes` and 1, or 0 for a record without a header `content-type`. Other headers, and keys, are left out.
//
// What may have a transaction of a block is told here, where the value has just been copied and is in the cache: it begins as a frame does, or
// names "transactionCount"; engine/source/peekBlock.ts reads those alone.
//
// `spare` is null or a SharedArrayBuffer that nobody reads any more: what is large and fits into it goes there, and `bytes` is null. New memory
// is had from the kernel page by page, which takes as long as copying a record does.
//
// Everything but the one call back runs in libuv's thread pool; the client's callbacks (rebalance, commits) are served there too, as by
// its own `consume`. A record that is an error, of which there are few kinds, ends the batch: the records before it are given, and it is
// the late error.
#ifndef SRC_CONSUME_BATCH_H_
#define SRC_CONSUME_BATCH_H_

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "src/kafka-consumer.h"
#include "src/workers.h"

namespace NodeKafka {

class ConsumeBatch : public Workers::ErrorAwareWorker {
 public:
  ConsumeBatch(Nan::Callback* callback, KafkaConsumer* consumer, int timeout_ms, uint32_t limit,
               std::shared_ptr<v8::BackingStore> spare)
      : ErrorAwareWorker(callback),
        m_consumer(consumer),
        m_timeout_ms(timeout_ms),
        m_messages(limit),
        m_spare(std::move(spare)) {}

  ~ConsumeBatch() { std::free(m_own); }

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
    // The first of an answer's partitions are here while the client still takes the others apart: a read of its own for these costs as much again.
    size_t before = 0;
    for (int looks = 0; looks < kMostLooks && taken > before && taken < kBusy && taken < m_messages.size(); looks++) {
      before = taken;
      std::this_thread::sleep_for(std::chrono::microseconds(kApartUs));
      taken += Take(queue, 0, taken, m_messages.size() - taken);
    }
    // Many come, a partition's part of an answer at a time: each read costs the main thread 0.1 ms, so under load it takes some parts together.
    if (taken >= kBusy && taken < kEnough && taken < m_messages.size()) {
      taken += Take(queue, kGatherMs, taken, std::min(m_messages.size(), kEnough) - taken);
    }
    rd_kafka_queue_destroy(queue);
    m_messages.resize(taken);
    Pack();
    for (rd_kafka_message_t* message : m_messages) {
      if (message != nullptr) rd_kafka_message_destroy(message);
    }
  }

  void HandleOKCallback() override {
    Nan::HandleScope scope;
    v8::Isolate* isolate = v8::Isolate::GetCurrent();
    v8::Local<v8::Value> bytes = Nan::Null();
    if (m_own != nullptr) {
      std::unique_ptr<v8::BackingStore> store = v8::SharedArrayBuffer::NewBackingStore(
          m_own, m_capacity, [](void* data, size_t, void*) { std::free(data); }, nullptr);
      m_own = nullptr;  // the buffer's from here on
      bytes = v8::SharedArrayBuffer::New(isolate, std::move(store));
    }
    v8::Local<v8::Array> partitions = Nan::New<v8::Array>();
    uint32_t at = 0;
    for (const Part& part : m_parts) {
      for (double number : {double(part.topic), double(part.partition), double(part.count), double(part.bytes), double(part.looks)}) {
        Nan::Set(partitions, at++, Nan::New(number));
      }
    }
    v8::Local<v8::Value> late = Nan::Null();
    if (m_late != RD_KAFKA_RESP_ERR_NO_ERROR) late = Baton(static_cast<RdKafka::ErrorCode>(m_late)).ToObject();
    v8::Local<v8::Value> argv[] = {Nan::Null(), bytes, partitions, m_topics.ToArray(), m_content_types.ToArray(), late};
    callback->Call(6, argv);
  }

 private:
  static const uint32_t kNoValue = 0xffffffff;
  static const uint32_t kMostNames = 0xffff;
  /** Less than this gets memory of its own: a spare buffer would be held by a few records. More gets some that may be a spare one later. */
  static const size_t kLarge = 64 << 10;
  static const size_t kRounded = 1 << 20;
  /** A read of kBusy records or more waits so long for others, until there are kEnough. */
  static constexpr size_t kBusy = 128;
  static constexpr size_t kEnough = 4096;
  /** Messages that librdkafka hands over at once: half a kilobyte each, so they stay in the cache until they are counted. */
  static constexpr size_t kTogether = 512;
  static const int kGatherMs = 2;
  /** Parts of an answer come no further apart than this; those of many brokers might never be further apart. */
  static const int kApartUs = 200;
  static const int kMostLooks = 5;

  struct Entry {
    double offset;
    double time;
    uint32_t start;
    uint32_t length;
    uint32_t content_type;
    uint32_t looks;
  };
  static_assert(sizeof(Entry) == 32, "the table's layout is a contract");

  /** A partition's records. */
  struct Part {
    rd_kafka_topic_t* rkt;
    int32_t partition;
    uint32_t topic;
    uint32_t count;
    size_t bytes;
    uint32_t looks;
    /** Where its next entry and value go. */
    Entry* entry;
    size_t at;
  };

  /** Strings by the order in which they were first seen. */
  struct Names {
    std::unordered_map<std::string, uint32_t> places;
    std::vector<std::string> list;

    /** kMostNames for any that come after so many. */
    uint32_t Place(const std::string& name) {
      auto found = places.find(name);
      if (found != places.end()) return found->second;
      if (list.size() == kMostNames) return kMostNames;
      uint32_t place = static_cast<uint32_t>(list.size());
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

  /** Some at a time, which are counted while they are in the cache: librdkafka has just touched each. */
  size_t Take(rd_kafka_queue_t* queue, int timeout_ms, size_t from, size_t most) {
    size_t to = from;
    while (most > 0) {
      size_t some = timeout_ms > 0 ? most : std::min(most, kTogether);
      ssize_t taken = rd_kafka_consume_batch_queue(queue, timeout_ms, m_messages.data() + to, some);
      if (taken <= 0) break;
      for (ssize_t i = 0; i < taken; i++) Count(m_messages[to++]);
      if (static_cast<size_t>(taken) < some) break;
      most -= some;
    }
    return to - from;
  }

  void Count(const rd_kafka_message_t* message) {
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (m_late == RD_KAFKA_RESP_ERR_NO_ERROR) m_late = message->err;
      return;
    }
    Part& part = PartOf(message);
    part.count++;
    part.bytes += message->len;
  }

  /** Copies the records into one block, and frees them. An error without records before it is the batch's. */
  void Pack() {
    size_t count = 0;
    size_t payload = 0;
    for (const Part& part : m_parts) {
      count += part.count;
      payload += part.bytes;
    }
    if (count == 0 && m_late != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return SetErrorBaton(Baton(static_cast<RdKafka::ErrorCode>(m_late)));
    }
    size_t size = count * sizeof(Entry) + payload;
    if (size == 0) return;
    uint8_t* bytes = Room(size);
    if (bytes == nullptr) {
      // The records are lost to this consumer, so it must not go on: its owner begins again from what is committed.
      return SetErrorBaton(Baton(RdKafka::ERR__FATAL, "No memory for a batch of records"));
    }
    Entry* entry = reinterpret_cast<Entry*>(bytes);
    size_t at = count * sizeof(Entry);
    for (Part& part : m_parts) {
      part.entry = entry;
      part.at = at;
      entry += part.count;
      at += part.bytes;
    }
    for (rd_kafka_message_t*& message : m_messages) {
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      Part& part = PartOf(message);
      Entry* entry = part.entry++;
      entry->offset = static_cast<double>(message->offset);
      entry->time = static_cast<double>(rd_kafka_message_timestamp(message, nullptr));
      entry->start = static_cast<uint32_t>(part.at);
      entry->length = message->len == 0 ? kNoValue : static_cast<uint32_t>(message->len);
      entry->content_type = ContentTypeOf(message);
      entry->looks = 0;
      if (message->len > 0) {
        std::memcpy(bytes + part.at, message->payload, message->len);
        entry->looks = LooksLikeBlock(bytes + part.at, message->len) ? 1 : 0;
      }
      part.looks += entry->looks;
      part.at += message->len;
      rd_kafka_message_destroy(message);
      message = nullptr;
    }
  }

  /** Where a batch of this size goes. */
  uint8_t* Room(size_t size) {
    if (size > kLarge) {
      if (m_spare && m_spare->ByteLength() >= size) return static_cast<uint8_t*>(m_spare->Data());
      m_capacity = (size + kRounded - 1) / kRounded * kRounded;
    } else {
      m_capacity = size;
    }
    m_own = static_cast<uint8_t*>(std::malloc(m_capacity));
    return m_own;
  }

  /** Records of a partition mostly follow each other. */
  Part& PartOf(const rd_kafka_message_t* message) {
    auto is = [message](const Part& part) { return part.rkt == message->rkt && part.partition == message->partition; };
    if (m_last < m_parts.size() && is(m_parts[m_last])) return m_parts[m_last];
    for (m_last = 0; m_last < m_parts.size(); m_last++) {
      if (is(m_parts[m_last])) return m_parts[m_last];
    }
    uint32_t topic = m_topics.Place(rd_kafka_topic_name(message->rkt));
    m_parts.push_back(Part{message->rkt, message->partition, topic, 0, 0, 0, nullptr, 0});
    return m_parts.back();
  }

  /** By the one capital letter in the name: others are few in transactions. */
  static bool LooksLikeBlock(const uint8_t* value, size_t length) {
    static const char kName[] = "transactionCount\"";
    static const size_t kLength = sizeof(kName) - 1;
    static const size_t kCapital = 11;
    if (length >= 2 && value[0] == 1 && value[1] == 0) return true;
    if (length < kLength) return false;
    const uint8_t* end = value + length - (kLength - kCapital) + 1;
    for (const uint8_t* at = value + kCapital; at < end; at++) {
      at = static_cast<const uint8_t*>(std::memchr(at, kName[kCapital], end - at));
      if (at == nullptr) return false;
      if (std::memcmp(at - kCapital, kName, kLength) == 0) return true;
    }
    return false;
  }

  uint32_t ContentTypeOf(rd_kafka_message_t* message) {
    rd_kafka_headers_t* headers;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
    const void* value;
    size_t length;
    if (rd_kafka_header_get(headers, 0, "content-type", &value, &length) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
    return m_content_types.Place(std::string(static_cast<const char*>(value), value == nullptr ? 0 : length)) + 1;
  }

  KafkaConsumer* m_consumer;
  int m_timeout_ms;
  std::vector<rd_kafka_message_t*> m_messages;
  std::shared_ptr<v8::BackingStore> m_spare;
  uint8_t* m_own = nullptr;
  size_t m_capacity = 0;
  std::vector<Part> m_parts;
  size_t m_last = 0;
  Names m_topics;
  Names m_content_types;
  rd_kafka_resp_err_t m_late = RD_KAFKA_RESP_ERR_NO_ERROR;
};

/** consumeBatch(timeoutMs, limit, spare, callback): see above. Throws on anything but two numbers, the second over 0, null or a buffer, and a function. */
inline NAN_METHOD(NodeConsumeBatch) {
  bool has_spare = info[2]->IsSharedArrayBuffer();
  if (!info[0]->IsUint32() || !info[1]->IsUint32() || !(has_spare || info[2]->IsNull()) || !info[3]->IsFunction()) {
    return Nan::ThrowError("Need to specify a timeout, a limit, a SharedArrayBuffer or null, and a callback");
  }
  uint32_t timeout_ms = Nan::To<uint32_t>(info[0]).FromJust();
  uint32_t limit = Nan::To<uint32_t>(info[1]).FromJust();
  if (limit == 0) return Nan::ThrowError("Need to specify a limit over 0");
  std::shared_ptr<v8::BackingStore> spare;
  if (has_spare) spare = info[2].As<v8::SharedArrayBuffer>()->GetBackingStore();
  KafkaConsumer* consumer = Nan::ObjectWrap::Unwrap<KafkaConsumer>(info.This());
  Nan::Callback* callback = new Nan::Callback(info[3].As<v8::Function>());
  Nan::AsyncQueueWorker(new ConsumeBatch(callback, consumer, static_cast<int>(timeout_ms), limit, std::move(spare)));
}

}  // namespace NodeKafka

#endif  // SRC_CONSUME_BATCH_H_
