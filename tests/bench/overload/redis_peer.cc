#include "tests/bench/overload/redis_peer.h"

#include <string_view>

namespace sluice::bench {
namespace {

constexpr std::string_view kEnd = "\r\n";

std::string bulk_head(std::size_t bytes) { return "$" + std::to_string(bytes) + "\r\n"; }

std::string bulk(std::string_view text) {
  return bulk_head(text.size()) + std::string(text) + "\r\n";
}

std::string shown(std::string_view text) {
  return "redis: " + std::string(text.substr(0, std::min(text.find('\r'), std::size_t{200})));
}

}  // namespace

RedisPeer::Publisher::Publisher(const Work& work, unsigned topic)
    : payload_bytes_(work.payload_bytes) {
  const std::string head =
      "*3\r\n" + bulk("PUBLISH") + bulk(topic_name(topic)) + bulk_head(payload_bytes_);
  const std::string message = head + std::string(payload_bytes_, 'x') + "\r\n";
  const auto bytes = base::as_bytes(message);
  message_.assign(bytes.begin(), bytes.end());
  payload_at_ = head.size();
  out_.add_text("PING\r\n");
}

std::size_t RedisPeer::Publisher::on_bytes(base::ByteView bytes, std::uint64_t /*now_ns*/) {
  const std::string_view text = base::as_text(bytes);
  std::size_t at = 0;
  for (auto end = text.find(kEnd); end != std::string_view::npos; end = text.find(kEnd, at)) {
    const std::string_view line = text.substr(at, end - at);
    at = end + kEnd.size();
    if (!ready_ && line == "+PONG") {
      ready_ = true;
    } else if (line.starts_with(':')) {
      ++answered_;
      ++answers_[std::string(line)];
    } else {
      error_ = shown(line);
    }
  }
  return at;
}

void RedisPeer::Publisher::post(std::uint64_t intended_ns, unsigned /*lane*/) {
  write_stamp({message_.data() + payload_at_, payload_bytes_}, intended_ns, published_.messages);
  out_.control().insert(out_.control().end(), message_.begin(), message_.end());
  ++published_.messages;
}

RedisPeer::Subscriber::Subscriber(const Work& work, unsigned topic, LatencySink* sink)
    : greeting_("*3\r\n" + bulk("subscribe") + bulk(topic_name(topic)) + ":1\r\n"),
      head_("*3\r\n" + bulk("message") + bulk(topic_name(topic)) + bulk_head(work.payload_bytes)),
      message_bytes_(head_.size() + work.payload_bytes + kEnd.size()),
      sink_(sink) {
  out_.add_text("SUBSCRIBE " + topic_name(topic) + "\r\n");
}

std::size_t RedisPeer::Subscriber::on_bytes(base::ByteView bytes, std::uint64_t now_ns) {
  std::size_t at = 0;
  while (error_.empty()) {
    const std::string_view text = base::as_text(bytes.subspan(at));
    const std::string& expected = ready_ ? head_ : greeting_;
    const std::size_t whole = ready_ ? message_bytes_ : greeting_.size();
    if (!text.empty() && !text.starts_with(std::string_view(expected).substr(0, text.size()))) {
      error_ = shown(text);
    }
    if (text.size() < whole || !error_.empty()) break;
    if (ready_) {
      const auto payload = bytes.subspan(at + head_.size(), message_bytes_ - head_.size() - 2);
      read_stamp(payload, now_ns, *sink_, delivered_);
      ++delivered_.messages;
    }
    ready_ = true;
    at += whole;
  }
  return at;
}

}  // namespace sluice::bench
