#include "cli/message_format.h"

#include <ctime>
#include <fmt/format.h>
#include <iterator>

#include "cli/json_text.h"
#include "cli/suggest.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kDirectives = "%t %p %x %l %k %s %d %{name} %j %%";

void append_json(std::string& out, const ShownMessage& message) {
  out += "{\"topic\":";
  append_json_lossy(out, message.topic);
  out += ",\"sequence\":" + std::to_string(message.sequence);
  out += ",\"published_at\":\"" + time_text(message.published_at) + '"';
  if (message.deadline) out += ",\"deadline\":\"" + time_text(*message.deadline) + '"';
  if (!message.key.empty()) {
    out += ',';
    append_json_bytes(out, "key", message.key);
  }
  if (!message.headers.empty()) {
    // Names may stand several times, so they are pairs and not members.
    out += ",\"headers\":[";
    for (const auto& [name, value] : message.headers) {
      out += out.back() == '[' ? "[" : ",[";
      append_json_lossy(out, name);
      out += ',';
      append_json_lossy(out, value);
      out += ']';
    }
    out += ']';
  }
  out += ',';
  append_json_bytes(out, "payload", message.payload);
  out += '}';
}

void append_header(std::string& out, std::string_view name, const ShownMessage& message) {
  for (const auto& [header, value] : message.headers) {
    if (header != name) continue;
    out += value;
    return;
  }
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

/// Reads a template from left to right.
class MessageFormat::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Part>> parse() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      Status read;
      if (c == '%') {
        read = directive();
      } else if (c == '\\') {
        read = escape();
      } else {
        literal(c);
      }
      if (!read) return base::fail(read.error());
    }
    return std::move(parts_);
  }

 private:
  void literal(char c) {
    if (parts_.empty() || parts_.back().kind != Kind::kLiteral) parts_.push_back(Part{});
    parts_.back().text += c;
  }

  Status refuse(std::size_t from, std::string_view why) const {
    return base::fail(
        ErrorCode::kBadArgument,
        fmt::format("'{}' at character {}: {}", text_.substr(from, at_ - from), from + 1, why));
  }

  Status directive() {
    const std::size_t from = at_ - 1;
    if (at_ == text_.size()) return refuse(from, "nothing follows; write %% for a percent sign");
    switch (text_[at_++]) {
      case '%':
        literal('%');
        return {};
      case 't':
        return part(Kind::kTopic);
      case 'p':
        return part(Kind::kPayload);
      case 'x':
        return part(Kind::kHexPayload);
      case 'l':
        return part(Kind::kLength);
      case 'k':
        return part(Kind::kKey);
      case 's':
        return part(Kind::kSequence);
      case 'd':
        return part(Kind::kTime);
      case 'j':
        return part(Kind::kJson);
      case '{':
        return header(from);
      default:
        return refuse(from, fmt::format("unknown; there are {}", kDirectives));
    }
  }

  Status part(Kind kind) {
    parts_.push_back(Part{kind});
    return {};
  }

  Status header(std::size_t from) {
    const std::size_t end = text_.find('}', at_);
    if (end == std::string_view::npos || end == at_) {
      at_ = text_.size();
      return refuse(from, "write %{name} for the header 'name'");
    }
    parts_.push_back(Part{Kind::kHeader, std::string(text_.substr(at_, end - at_))});
    at_ = end + 1;
    return {};
  }

  Status escape() {
    const std::size_t from = at_ - 1;
    if (at_ == text_.size()) return refuse(from, R"(nothing follows; write \\ for a backslash)");
    switch (text_[at_++]) {
      case 'n':
        literal('\n');
        return {};
      case 't':
        literal('\t');
        return {};
      case 'r':
        literal('\r');
        return {};
      case '0':
        literal('\0');
        return {};
      case '\\':
        literal('\\');
        return {};
      case 'x':
        return hex(from);
      default:
        return refuse(from, R"(unknown; there are \n \t \r \0 \\ \xNN)");
    }
  }

  Status hex(std::size_t from) {
    const int high = at_ < text_.size() ? hex_value(text_[at_]) : -1;
    const int low = at_ + 1 < text_.size() ? hex_value(text_[at_ + 1]) : -1;
    if (high < 0 || low < 0) return refuse(from, R"(write two hexadecimal digits: \x1f)");
    literal(static_cast<char>(high * 16 + low));
    at_ += 2;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Part> parts_;
};

ShownMessage shown(const MessageView& message) {
  ShownMessage out;
  out.topic = message.topic();
  out.key = as_text(message.key());
  out.payload = message.text();
  out.sequence = message.sequence();
  out.published_at = message.published_at();
  out.deadline = message.deadline();
  out.headers = message.headers();
  return out;
}

Result<MessageFormat> MessageFormat::parse(std::string_view text) {
  MessageFormat format;
  const auto one = [&](Kind kind) { format.parts_.push_back(Part{kind}); };
  const auto word = [&](std::string_view plain) {
    format.parts_.push_back(Part{Kind::kLiteral, std::string(plain)});
  };
  if (text == "raw") {
    one(Kind::kPayload);
  } else if (text == "text" || text == "hex") {
    one(Kind::kTopic);
    word(" ");
    one(text == "text" ? Kind::kEscapedPayload : Kind::kHexPayload);
    word("\n");
  } else if (text == "json") {
    one(Kind::kJson);
    word("\n");
    format.is_json_ = true;
  } else if (text.find_first_of("%\\") == std::string_view::npos) {
    return base::fail(ErrorCode::kBadArgument,
                      fmt::format("'{}' is no format{}; use text, raw, json, hex or a template "
                                  "such as '%t %p\\n'",
                                  text, did_you_mean(text, {"text", "raw", "json", "hex"})));
  } else {
    auto parts = Parser(text).parse();
    if (!parts) return base::fail(parts.error());
    format.parts_ = std::move(*parts);
  }
  return format;
}

void MessageFormat::append(std::string& out, const ShownMessage& message) const {
  for (const Part& part : parts_) append_part(out, part, message);
}

void MessageFormat::append_part(std::string& out, const Part& part, const ShownMessage& message) {
  switch (part.kind) {
    case Kind::kLiteral:
      out += part.text;
      break;
    case Kind::kTopic:
      out += message.topic;
      break;
    case Kind::kEscapedPayload:
      append_escaped(out, message.payload);
      break;
    case Kind::kPayload:
      out += message.payload;
      break;
    case Kind::kHexPayload:
      append_hex(out, message.payload);
      break;
    case Kind::kLength:
      out += std::to_string(message.payload.size());
      break;
    case Kind::kKey:
      out += message.key;
      break;
    case Kind::kSequence:
      out += std::to_string(message.sequence);
      break;
    case Kind::kTime:
      out += time_text(message.published_at);
      break;
    case Kind::kHeader:
      append_header(out, part.text, message);
      break;
    case Kind::kJson:
      append_json(out, message);
      break;
  }
}

std::string time_text(WallTime time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t whole = seconds.count();
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     (since - seconds).count());
}

}  // namespace sluice::cli
