#include "tests/bench/load/relay_peer.h"

#include <algorithm>

namespace sluice::bench {
namespace {

constexpr std::size_t kFloodBytes = 256U << 10;

void greet(Outgoing& out, char role, unsigned topic) {
  std::byte greeting[RelayPeer::kGreetingBytes]{};
  greeting[0] = static_cast<std::byte>(role);
  base::store(greeting + 2, static_cast<std::uint16_t>(topic));
  out.control().assign(greeting, greeting + sizeof greeting);
}

}  // namespace

RelayPeer::Publisher::Publisher(const Work& work, unsigned topic)
    : message_(kPrefixBytes + work.payload_bytes, std::byte{'x'}) {
  base::store(message_.data(), work.payload_bytes);
  if (!work.timed()) out_.set_flood(Flood(repeat(message_, kFloodBytes), message_.size()));
  greet(out_, 'P', topic);
}

std::size_t RelayPeer::Publisher::on_bytes(base::ByteView bytes, std::uint64_t /*now_ns*/) {
  ready_ = true;
  return bytes.size();
}

void RelayPeer::Publisher::post(std::uint64_t intended_ns) {
  base::store(message_.data() + kPrefixBytes, intended_ns);
  out_.control().insert(out_.control().end(), message_.begin(), message_.end());
  ++published_.messages;
}

RelayPeer::Subscriber::Subscriber(const Work& work, unsigned topic, LatencySink* sink)
    : payload_bytes_(work.payload_bytes), sink_(sink) {
  greet(out_, 'S', topic);
}

std::size_t RelayPeer::Subscriber::on_bytes(base::ByteView bytes, std::uint64_t now_ns) {
  std::size_t at = 0;
  if (!ready_ && !bytes.empty()) {
    ready_ = true;
    at = 1;
  }
  const std::size_t looked_at = kPrefixBytes + (sink_ != nullptr ? sizeof(std::uint64_t) : 0);
  const std::size_t message_bytes = kPrefixBytes + payload_bytes_;
  for (;;) {
    const std::size_t skipped = std::min(skip_, bytes.size() - at);
    skip_ -= skipped;
    at += skipped;
    if (bytes.size() - at < looked_at) return at;
    if (base::load<std::uint32_t>(bytes.data() + at) != payload_bytes_) {
      error_ = "relay: a message of another size arrived";
      return bytes.size();
    }
    if (sink_ != nullptr) {
      sink_->record(base::load<std::uint64_t>(bytes.data() + at + kPrefixBytes), now_ns);
    }
    ++delivered_.messages;
    skip_ = message_bytes;
  }
}

}  // namespace sluice::bench
