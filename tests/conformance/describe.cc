#include "tests/conformance/describe.h"

namespace sluice::wire {

std::string json_record(const RecordView& record) {
  std::string out = "{";
  if (!record.key.empty()) out += "\"key\":" + json(base::as_text(record.key)) + ",";
  if (record.header_count != 0) {
    std::string list;
    HeaderCursor headers(record);
    std::string_view name;
    std::string_view value;
    while (headers.next(name, value)) {
      list += (list.empty() ? "[" : ",[") + json(name) + "," + json(value) + "]";
    }
    out += "\"headers\":[" + list + "],";
  }
  if (record.deadline_ns != 0) out += "\"deadline_ns\":" + json(record.deadline_ns) + ",";
  return out + "\"payload\":" + json(base::as_text(record.payload)) + "}";
}

void describe_batch(Description& out, ByteView batch) {
  const auto header = check_batch(batch, 1U << 20);
  if (!header) {
    out.line("error", header.error().message());
    return;
  }
  std::vector<std::byte> storage;
  const auto records = batch_records(batch, storage);
  if (!records) {
    out.line("error", records.error().message());
    return;
  }
  constexpr std::string_view kNames[] = {"none", "lz4", "zstd"};
  out.add("batch.base_sequence", header->base_sequence)
      .add("batch.broker_time_ns", header->broker_time_ns)
      .add("batch.compression", kNames[static_cast<std::size_t>(header->compression)]);
  out.add("batch.producer_id", header->producer_id)
      .add("batch.producer_sequence", header->producer_sequence)
      .add("batch.publisher_time_ns", header->publisher_time_ns);
  std::string list;
  for (ByteView rest = *records; !rest.empty();) {
    list += (list.empty() ? "" : ",") + json_record(take_record(rest));
  }
  out.line("batch.records", "[" + list + "]");
}

void describe(Description& out, const Hello& f) {
  if (f.producer_epoch != 0) out.add("producer_epoch", f.producer_epoch);
  out.add("magic", f.magic).add("version_min", f.version_min).add("version_max", f.version_max);
  out.add("features", f.features).add("max_frame", f.max_frame);
  out.add("producer_id", f.producer_id).add("client_name", f.client_name);
  out.add("client_version", f.client_version);
}

void describe(Description& out, const Welcome& f) {
  if (f.producer_epoch != 0) {
    out.line("welcomed_producer",
             "{\"epoch\":" + json(f.producer_epoch) + ",\"next\":" + json(f.producer_next) + "}");
  }
  out.add("version", f.version).add("features", f.features).add("max_frame", f.max_frame);
  out.add("keepalive_ms", f.keepalive_ms).add("session_id", f.session_id);
  out.add("wall_time_ns", f.wall_time_ns).add("named_grant", f.named_grant);
  out.add("node_name", f.node_name).add("broker_version", f.broker_version);
}

void describe(Description& out, const Auth& f) {
  out.add("mechanism", f.mechanism).add("data", hex(f.data));
}

void describe(Description& out, const OpenTopic& f) { out.add("name", f.name); }

void describe(Description& out, const Topic& f) {
  out.add("topic", f.topic).add("grant", f.grant).add("name", f.name);
}

void describe(Description& out, const Publish& f) {
  if (f.deadline_ns != 0) out.add("deadline_ns", f.deadline_ns);
  if (f.need.durability != Durability::kNone) out.add("need_durability", f.need.durability);
  if (f.need.accept_all) out.line("need_accept_all", "1");
  if (!f.need.names.empty()) out.line("need_names", json_list(f.need.names));
  out.add("topic", f.topic).add("name", f.name);
  describe_batch(out, f.batch);
}

void describe(Description& out, const Receipt& f) {
  if (!f.text.empty()) out.add("receipt_text", f.text);
  out.add("first_publish", f.first_publish).add("status", f.status);
  out.add("durability", f.durability).add("pressure", f.pressure).add("reason", f.reason);
  out.add("retry_after_ms", f.retry_after_ms).add("unlisted", f.unlisted);
  out.add("messages", f.messages).add("matched", f.matched).add("accepted", f.accepted);
  out.add("spilled", f.spilled).add("dropped", f.dropped).add("rejected", f.rejected);
  out.add("sequence", f.sequence).line("subscriptions", json_list(f.subscriptions));
}

void describe(Description& out, const Subscribe& f) {
  if (f.resume.session != 0) {
    out.line("resume", "{\"session\":" + json(f.resume.session) +
                           ",\"subscription\":" + json(f.resume.subscription) +
                           ",\"last_sequence\":" + json(f.resume.last_sequence) + "}");
  }
  out.add("subscription", f.subscription).add("max_messages", f.max_messages);
  out.add("max_bytes", f.max_bytes).add("max_lag_ns", f.max_lag_ns);
  out.add("credit_messages", f.credit_messages).add("credit_bytes", f.credit_bytes);
  out.add("from", f.from).add("ack_mode", f.ack_mode).add("from_value", f.from_value);
  out.add("name", f.name).add("group", f.group).add("overflow", f.overflow);
  out.line("filters", json_list(f.filters));
}

void describe(Description& out, const Subscribed& f) {
  if (f.resumed.known) {
    out.line("resumed", "{\"matched\":" + json(f.resumed.matched) +
                            ",\"discarded\":" + json(f.resumed.discarded) + "}");
  }
  out.add("subscription", f.subscription).add("max_messages", f.max_messages);
  out.add("max_bytes", f.max_bytes).add("max_lag_ns", f.max_lag_ns);
  out.add("next_sequence", f.next_sequence).add("overflow", f.overflow);
}

void describe(Description& out, const Unsubscribe& f) { out.add("subscription", f.subscription); }

void describe(Description& out, const Unsubscribed& f) {
  out.add("subscription", f.subscription).add("matched", f.matched);
  out.add("delivered", f.delivered).add("dropped", f.dropped).add("discarded", f.discarded);
}

void describe(Description& out, const Credit& f) {
  out.add("subscription", f.subscription).add("messages", f.messages).add("bytes", f.bytes);
}

void describe(Description& out, const Deliver& f) {
  out.add("subscription", f.subscription).add("topic", f.topic);
  out.add("first", f.first).add("count", f.count);
  describe_batch(out, f.batch);
}

void describe(Description& out, const Gap& f) {
  out.add("subscription", f.subscription).add("reason", f.reason);
  out.add("last_sequence", f.last_sequence).add("count", f.count).add("bytes", f.bytes);
}

void describe(Description& out, const Ack& f) {
  out.add("subscription", f.subscription).line("ranges", json_list(f.ranges));
}

void describe(Description& out, const Nack& f) {
  out.add("subscription", f.subscription).add("delay_ms", f.delay_ms);
  out.add("first", f.range.first).add("last", f.range.last);
}

void describe(Description& out, const Extend& f) {
  out.add("subscription", f.subscription).add("extend_ms", f.extend_ms);
  out.add("first", f.range.first).add("last", f.range.last);
}

void describe(Description& out, const Fetch& f) {
  out.add("from", f.from).add("max_messages", f.max_messages).add("from_value", f.from_value);
  out.add("max_bytes", f.max_bytes).add("deadline_ns", f.deadline_ns).add("stream", f.stream);
}

void describe(Description& out, const Cancel& f) {
  if (f.topic != 0) out.add("cancel_topic", f.topic);
  if (!f.name.empty()) out.add("cancel_name", f.name);
  out.add("target", f.target).add("target_kind", f.target_kind).add("withdrawn", f.withdrawn);
}

void describe(Description& out, const Grant& f) { out.add("topic", f.topic).add("bytes", f.bytes); }

void describe(Description& out, const State& f) {
  out.add("what", f.what).add("level", f.level).add("reason", f.reason).add("topic", f.topic);
  out.add("retry_after_ms", f.retry_after_ms).add("text", f.text);
}

void describe(Description& out, const Request& f) { out.add("verb", f.verb).add("body", f.body); }

void describe(Description& out, const Reply& f) { out.add("error", f.error).add("body", f.body); }

void describe(Description& out, const Ping& f) { out.add("opaque", f.opaque); }

void describe(Description& out, const Pong& f) {
  out.add("opaque", f.opaque).add("wall_time_ns", f.wall_time_ns);
}

void describe(Description& out, const Goaway& f) {
  out.add("reason", f.reason).add("deadline_ms", f.deadline_ms).add("text", f.text);
}

void describe(Description& out, const ErrorFrame& f) {
  out.add("code", f.code).add("closes", f.closes).add("subject", f.subject).add("text", f.text);
}

}  // namespace sluice::wire
