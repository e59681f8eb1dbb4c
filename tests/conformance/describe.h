// describe.h: what does a decoded frame say, in the words of docs/formats/wire.md?
//
// Each describe() writes the fields of a struct as the document's examples do, `name = value`, so
// that a decoder that mixed two fields up is found by comparing text.
//
// Tests:    used by wire_examples_test.cc

#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "libs/wire/batch.h"
#include "libs/wire/codec.h"

namespace sluice::wire {

inline std::string json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

template <typename Integer>
  requires std::is_integral_v<Integer>
std::string json(Integer value) {
  return std::to_string(value);
}

template <typename Enum>
  requires std::is_enum_v<Enum>
std::string json(Enum value) {
  return std::to_string(static_cast<std::underlying_type_t<Enum>>(value));
}

inline std::string hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : bytes) {
    out += kDigits[std::to_integer<std::size_t>(byte) >> 4];
    out += kDigits[std::to_integer<std::size_t>(byte) & 15];
  }
  return out;
}

inline std::string json(const SequenceRange& range) {
  return "{\"first\":" + json(range.first) + ",\"last\":" + json(range.last) + "}";
}

inline std::string json(const ReceiptSubscription& listed) {
  return "{\"copies\":" + json(listed.copies) + ",\"reason\":" + json(listed.reason) +
         ",\"name\":" + json(listed.name) + "}";
}

template <typename T>
std::string json_list(const std::vector<T>& list) {
  std::string out = "[";
  for (const T& element : list) out += (out.size() == 1 ? "" : ",") + json(element);
  return out + "]";
}

/// Collects `name = value` lines.
class Description {
 public:
  template <typename T>
  Description& add(std::string_view name, const T& value) {
    return line(name, json(value));
  }
  Description& line(std::string_view name, const std::string& value) {
    text_ += std::string(name) + " = " + value + "\n";
    return *this;
  }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

std::string json_record(const RecordView& record);
/// The lines of a batch but `batch.compressed`; what is wrong with it when it cannot be read.
void describe_batch(Description& out, ByteView batch);

void describe(Description& out, const Hello& f);
void describe(Description& out, const Welcome& f);
void describe(Description& out, const Auth& f);
void describe(Description& out, const OpenTopic& f);
void describe(Description& out, const Topic& f);
void describe(Description& out, const Publish& f);
void describe(Description& out, const Receipt& f);
void describe(Description& out, const Subscribe& f);
void describe(Description& out, const Subscribed& f);
void describe(Description& out, const Unsubscribe& f);
void describe(Description& out, const Unsubscribed& f);
void describe(Description& out, const Credit& f);
void describe(Description& out, const Deliver& f);
void describe(Description& out, const Gap& f);
void describe(Description& out, const Ack& f);
void describe(Description& out, const Nack& f);
void describe(Description& out, const Extend& f);
void describe(Description& out, const Fetch& f);
void describe(Description& out, const Cancel& f);
void describe(Description& out, const Grant& f);
void describe(Description& out, const State& f);
void describe(Description& out, const Request& f);
void describe(Description& out, const Reply& f);
void describe(Description& out, const Ping& f);
void describe(Description& out, const Pong& f);
void describe(Description& out, const Goaway& f);
void describe(Description& out, const ErrorFrame& f);

}  // namespace sluice::wire
