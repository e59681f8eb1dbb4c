#include <algorithm>
#include <sluice/trace.h>
#include <utility>

namespace sluice {
namespace {

using async::Context;
using async::ContextKey;

const ContextKey<std::string> kTraceparent;
const ContextKey<std::string> kTracestate;
const ContextKey<std::string> kBaggage;

std::string_view text_of(const Context& context, const ContextKey<std::string>& key) noexcept {
  const std::string* value = context.value(key);
  return value == nullptr ? std::string_view() : *value;
}

Context with_text(const Context& context, const ContextKey<std::string>& key,
                  std::optional<std::string_view> text) {
  return text && !text->empty() ? context.with_value(key, std::string(*text)) : context;
}

// What a value of baggage may hold as it is; all else is percent-encoded.
bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7F && c != '"' && c != ',' && c != ';' && c != '\\' && c != '%';
}

std::string encoded(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : value) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string decoded(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool is_code = value[i] == '%' && i + 2 < value.size() && digit_of(value[i + 1]) >= 0 &&
                         digit_of(value[i + 2]) >= 0;
    if (!is_code) {
      out += value[i];
      continue;
    }
    out += static_cast<char>(digit_of(value[i + 1]) * 16 + digit_of(value[i + 2]));
    i += 2;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// One `key=value;properties` after the other.
template <typename Use>
void for_each_entry(std::string_view baggage, Use use) {
  while (!baggage.empty()) {
    const std::size_t comma = std::min(baggage.find(','), baggage.size());
    const std::string_view entry = trimmed(baggage.substr(0, comma));
    baggage.remove_prefix(std::min(comma + 1, baggage.size()));
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    use(trimmed(entry.substr(0, equals)), entry);
  }
}

}  // namespace

Context with_traceparent(const Context& context, std::string traceparent, std::string tracestate) {
  // An empty state too: that of an outer trace does not belong to this one.
  return context.with_value(kTraceparent, std::move(traceparent))
      .with_value(kTracestate, std::move(tracestate));
}

Context with_baggage(const Context& context, std::string_view key, std::string_view value) {
  std::string all;
  for_each_entry(baggage_of(context), [&](std::string_view known, std::string_view entry) {
    if (known == key) return;
    all += all.empty() ? "" : ",";
    all += entry;
  });
  all += all.empty() ? "" : ",";
  all += key;
  all += '=';
  all += encoded(value);
  if (all.size() > kBaggageBytesMax) return context;
  return context.with_value(kBaggage, std::move(all));
}

std::string_view traceparent_of(const Context& context) noexcept {
  return text_of(context, kTraceparent);
}

std::string_view tracestate_of(const Context& context) noexcept {
  return text_of(context, kTracestate);
}

std::string_view baggage_of(const Context& context) noexcept { return text_of(context, kBaggage); }

std::optional<std::string> baggage_of(const Context& context, std::string_view key) {
  std::optional<std::string> value;
  for_each_entry(baggage_of(context), [&](std::string_view known, std::string_view entry) {
    if (known != key) return;
    const std::string_view rest = entry.substr(entry.find('=') + 1);
    value = decoded(trimmed(rest.substr(0, rest.find(';'))));
  });
  return value;
}

Context context_of(const Context& parent, const MessageView& message) {
  Context context = with_text(parent, kTraceparent, message.header(kTraceparentHeader));
  context = with_text(context, kTracestate, message.header(kTracestateHeader));
  return with_text(context, kBaggage, message.header(kBaggageHeader));
}

}  // namespace sluice
