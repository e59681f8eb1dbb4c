#include "tests/bench/load/work.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <variant>

namespace sluice::bench {
namespace {

using base::ErrorCode;

template <typename Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_shape(const std::string& text, Work& work) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return false;
  if (!parse_number(std::string_view(text).substr(0, colon), work.publishers) ||
      !parse_number(std::string_view(text).substr(colon + 1), work.subscribers)) {
    return false;
  }
  work.topics = work.publishers == work.subscribers ? work.publishers : 1;
  return work.publishers > 0 && work.subscribers > 0;
}

using Field =
    std::variant<std::string*, std::uint16_t*, int*, std::uint32_t*, std::uint64_t*, double*>;

std::map<std::string, Field> fields_of(Work& work) {
  return {{"--peer", &work.peer},
          {"--host", &work.host},
          {"--port", &work.port},
          {"--broker-pid", &work.broker_pid},
          {"--topics", &work.topics},
          {"--payload", &work.payload_bytes},
          {"--messages-per-frame", &work.messages_per_frame},
          {"--frame-bytes", &work.frame_bytes},
          {"--seconds", &work.seconds},
          {"--warmup", &work.warmup_seconds},
          {"--drain", &work.drain_seconds},
          {"--rate", &work.rate},
          {"--queue-messages", &work.queue_messages},
          {"--queue-bytes", &work.queue_bytes},
          {"--overflow", &work.overflow}};
}

bool assign(const Field& field, const std::string& text) {
  return std::visit(
      [&](auto* target) {
        if constexpr (std::is_same_v<decltype(target), std::string*>) {
          *target = text;
          return true;
        } else {
          return parse_number(text, *target);
        }
      },
      field);
}

base::Status check(const Work& work) {
  if (work.peer != "sluice" && work.peer != "nats" && work.peer != "relay") {
    return base::fail(ErrorCode::kBadArgument, "--peer " + work.peer);
  }
  if (work.port == 0) return base::fail(ErrorCode::kBadArgument, "--port is missing");
  if (work.topics == 0) return base::fail(ErrorCode::kBadArgument, "--topics 0");
  if (work.timed() && work.payload_bytes < 8) {
    return base::fail(ErrorCode::kBadArgument, "--rate needs --payload of 8 or more");
  }
  if (!(work.seconds > 0) || !(work.warmup_seconds >= 0) || !(work.drain_seconds >= 0)) {
    return base::fail(ErrorCode::kBadArgument, "--seconds, --warmup and --drain are times");
  }
  return {};
}

}  // namespace

base::Result<Work> parse_work(const std::vector<std::string>& arguments) {
  Work work;
  const auto fields = fields_of(work);
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (i + 1 == arguments.size()) {
      return base::fail(ErrorCode::kBadArgument, name + " needs a value");
    }
    const std::string& text = arguments[i + 1];
    const auto field = fields.find(name);
    const bool good = name == "--shape"       ? parse_shape(text, work)
                      : field == fields.end() ? false
                                              : assign(field->second, text);
    if (!good) return base::fail(ErrorCode::kBadArgument, name + " " + text);
  }
  if (auto status = check(work); !status) return base::fail(status.error());
  return work;
}

std::string work_usage() {
  return "usage: sluice_load --peer sluice|nats|relay --port N [--broker-pid N] [--shape P:S]\n"
         "  [--payload BYTES] [--seconds S] [--warmup S] [--drain S] [--rate MSGS_PER_S]\n"
         "  [--topics N] [--messages-per-frame N] [--frame-bytes N] [--overflow LADDER]\n"
         "  [--queue-messages N] [--queue-bytes N] [--host A.B.C.D]\n";
}

std::string topic_name(unsigned index) { return "bench." + std::to_string(index); }

std::uint32_t messages_in(std::uint32_t frame_bytes, std::uint32_t fixed_bytes,
                          std::uint32_t message_bytes) {
  if (frame_bytes <= fixed_bytes) return 1;
  return std::max(1U, (frame_bytes - fixed_bytes) / message_bytes);
}

}  // namespace sluice::bench
