#include "tests/bench/load/nats_peer.h"

#include <algorithm>

namespace sluice::bench {
namespace {

constexpr std::size_t kFloodBytes = 256U << 10;
constexpr std::string_view kEnd = "\r\n";

std::string connect_line() {
  return "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"bench\",\"version\":\"1\"}\r\n";
}

}  // namespace

std::size_t NatsLines::take(base::ByteView bytes, Outgoing& out) {
  const std::string_view text = base::as_text(bytes);
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos) return 0;
  const std::string_view line = text.substr(0, end);
  if (line == "PING") {
    out.add_text("PONG\r\n");
  } else if (line == "PONG") {
    ready_ = true;
  } else if (!line.starts_with("INFO ") && line != "+OK") {
    error_ = "nats: " + std::string(line.substr(0, 200));
  }
  return end + kEnd.size();
}

NatsPeer::Publisher::Publisher(const Work& work, unsigned topic) {
  const std::string head =
      "PUB " + topic_name(topic) + " " + std::to_string(work.payload_bytes) + "\r\n";
  const std::string message = head + std::string(work.payload_bytes, 'x') + "\r\n";
  const auto bytes = base::as_bytes(message);
  message_.assign(bytes.begin(), bytes.end());
  payload_at_ = head.size();
  payload_bytes_ = work.payload_bytes;
  if (!work.timed()) out_.set_flood(Flood(repeat(message_, kFloodBytes), message_.size()));
  out_.add_text(connect_line() + "PING\r\n");
}

std::size_t NatsPeer::Publisher::on_bytes(base::ByteView bytes, std::uint64_t /*now_ns*/) {
  std::size_t at = 0;
  while (const std::size_t taken = lines_.take(bytes.subspan(at), out_)) at += taken;
  return at;
}

void NatsPeer::Publisher::post(std::uint64_t intended_ns, unsigned /*lane*/) {
  write_stamp({message_.data() + payload_at_, payload_bytes_}, intended_ns, published_.messages);
  out_.control().insert(out_.control().end(), message_.begin(), message_.end());
  ++published_.messages;
}

NatsPeer::Subscriber::Subscriber(const Work& work, unsigned topic, LatencySink* sink)
    : head_("MSG " + topic_name(topic) + " 1 " + std::to_string(work.payload_bytes) + "\r\n"),
      message_bytes_(head_.size() + work.payload_bytes + kEnd.size()),
      stamp_bytes_(std::min<std::size_t>(work.payload_bytes, kStampBytes)),
      sink_(sink) {
  out_.add_text(connect_line() + "SUB " + topic_name(topic) + " 1\r\nPING\r\n");
}

std::size_t NatsPeer::Subscriber::on_bytes(base::ByteView bytes, std::uint64_t now_ns) {
  const std::size_t looked_at = sink_ != nullptr ? head_.size() + stamp_bytes_ : 1;
  std::size_t at = 0;
  for (;;) {
    const std::size_t skipped = std::min(skip_, bytes.size() - at);
    skip_ -= skipped;
    at += skipped;
    if (at == bytes.size()) return at;
    if (bytes[at] != std::byte{'M'}) {
      const std::size_t taken = lines_.take(bytes.subspan(at), out_);
      if (taken == 0) return at;
      at += taken;
      continue;
    }
    if (bytes.size() - at < looked_at) return at;
    if (sink_ != nullptr) {
      read_stamp(bytes.subspan(at + head_.size(), stamp_bytes_), now_ns, *sink_, delivered_);
    }
    ++delivered_.messages;
    skip_ = message_bytes_;
  }
}

}  // namespace sluice::bench
