#include "libs/wire/body_io.h"
#include "libs/wire/codec.h"

// The two frames that carry a batch: PUBLISH, with its extension area, and DELIVER.

namespace sluice::wire {
namespace {

using base::ErrorCode;

constexpr std::uint16_t kTagDeadline = 1;
constexpr std::uint16_t kTagNeedDurability = 2;
constexpr std::uint16_t kTagNeedAcceptAll = 3;
constexpr std::uint16_t kTagNeedNames = 4;
constexpr std::uint16_t kTagTraceparent = 5;
constexpr std::size_t kMaxTraceparentBytes = 256;
constexpr Bounds kDurability{1, static_cast<std::uint64_t>(Durability::kQuorum)};
constexpr Bounds kNames{1, 16};

std::size_t needed_names_bytes(const Need& need) noexcept {
  std::size_t bytes = 2;
  for (const std::string_view name : need.names) bytes += 2 + name.size();
  return bytes;
}

void begin_tag(BodyWriter& out, std::uint16_t tag, std::size_t bytes) {
  out.number("tag", tag);
  out.number("bytes", static_cast<std::uint16_t>(bytes));
}

void write_extensions(BodyWriter& out, const Publish& f) {
  std::size_t area = 0;
  if (f.deadline_ns != 0) area += 4 + 8;
  if (f.need.durability != Durability::kNone) area += 4 + 1;
  if (f.need.accept_all) area += 4 + 1;
  if (!f.need.names.empty()) area += 4 + needed_names_bytes(f.need);
  if (!f.traceparent.empty()) area += 4 + f.traceparent.size();
  ASSERT(area <= std::numeric_limits<std::uint16_t>::max());
  out.number("extension area", static_cast<std::uint16_t>(area));
  if (f.deadline_ns != 0) {
    begin_tag(out, kTagDeadline, 8);
    out.number("deadline", f.deadline_ns);
  }
  if (f.need.durability != Durability::kNone) {
    begin_tag(out, kTagNeedDurability, 1);
    out.choice("durability", f.need.durability);
  }
  if (f.need.accept_all) {
    begin_tag(out, kTagNeedAcceptAll, 1);
    out.yes_no("accept_all", true);
  }
  if (!f.need.names.empty()) {
    begin_tag(out, kTagNeedNames, needed_names_bytes(f.need));
    out.list_size<std::uint16_t>("names", f.need.names, kNames);
    for (const std::string_view name : f.need.names) out.text("name", name);
  }
  if (!f.traceparent.empty()) {
    ASSERT(f.traceparent.size() <= kMaxTraceparentBytes);
    begin_tag(out, kTagTraceparent, f.traceparent.size());
    out.raw(base::as_bytes(f.traceparent));
  }
}

bool has_extensions(const Publish& f) noexcept {
  return f.deadline_ns != 0 || f.need.any() || !f.traceparent.empty();
}

/// Reads the value of one tag into `f`; `in` stands on the value.
void read_tag(BodyReader& in, std::uint16_t tag, Publish& f) {
  switch (tag) {
    case kTagDeadline:
      return in.number("deadline", f.deadline_ns, {1});
    case kTagNeedDurability:
      return in.choice("needed durability", f.need.durability, kDurability);
    case kTagNeedAcceptAll:
      in.yes_no("accept_all", f.need.accept_all);
      return;
    case kTagNeedNames:
      in.list_size<std::uint16_t>("number of needed names", f.need.names, kNames);
      for (std::string_view& name : f.need.names) in.text("needed name", name);
      return;
    case kTagTraceparent:
      f.traceparent = base::as_text(in.rest());
      return;
    default:
      in.rest();  // a newer client's
  }
}

void read_extensions(BodyReader& in, ByteView body, Publish& f) {
  read_extension_area(in, [&](std::uint16_t tag, ByteView value) {
    BodyReader value_reader(
        body.first(static_cast<std::size_t>(value.data() + value.size() - body.data())));
    value_reader.skip_to(value.data());
    read_tag(value_reader, tag, f);
    if (value_reader.ok() && tag == kTagTraceparent && value.size() > kMaxTraceparentBytes) {
      value_reader.fail_at(ErrorCode::kBadFrame, "traceparent over 256 bytes", value.data());
    }
    if (value_reader.ok() && !value_reader.at_end()) {
      value_reader.fail_at(ErrorCode::kBadFrame, "bytes behind an extension's value",
                           value_reader.at());
    }
    in.take_failure_of(value_reader);
  });
}

/// That flags, topic and name tell the same.
void check_address(BodyReader& in, std::uint8_t flags, const Publish& f, const std::byte* at) {
  const bool named = (flags & kPublishNamed) != 0;
  if (named != (f.topic == 0)) {
    return in.fail_at(ErrorCode::kBadFrame,
                      named ? "topic id beside a name" : "neither topic id nor name", at);
  }
  if (named != !f.name.empty()) {
    return in.fail_at(ErrorCode::kBadFrame, named ? "the name is empty" : "a name without its flag",
                      at + 4);
  }
  if ((flags & kPublishReceiptProblems) != 0 && (flags & kPublishReceiptNone) != 0) {
    in.fail_at(ErrorCode::kBadFrame, "flags ask for two kinds of receipt", at);
  }
}

}  // namespace

void encode(std::vector<std::byte>& out, const Publish& frame, std::uint64_t correlation,
            std::uint8_t flags) {
  ASSERT((frame.topic == 0) == !frame.name.empty());
  ASSERT(frame.name.size() <= std::numeric_limits<std::uint16_t>::max());
  if (!frame.name.empty()) flags |= kPublishNamed;
  const bool extended = has_extensions(frame);
  flags = static_cast<std::uint8_t>(extended ? flags | kFlagExtension : flags & ~kFlagExtension);
  BodyWriter writer(out, {.kind = FrameKind::kPublish, .flags = flags, .correlation = correlation});
  if (extended) write_extensions(writer, frame);
  writer.number("topic", frame.topic);
  writer.number("name bytes", static_cast<std::uint16_t>(frame.name.size()));
  writer.reserved(2);
  writer.raw(base::as_bytes(frame.name));
  writer.finish(frame.batch.size());
}

template <>
base::Result<Publish> decode<Publish>(const FrameHeader& header, ByteView body) {
  ASSERT(header.kind == FrameKind::kPublish);
  DASSERT(body.size() == header.body_bytes);
  BodyReader in(body);
  Publish frame;
  if ((header.flags & kFlagExtension) != 0) read_extensions(in, body, frame);
  const std::byte* const fields = in.at();
  std::uint16_t name_bytes = 0;
  in.number("topic", frame.topic);
  in.number("name bytes", name_bytes);
  in.reserved(2);
  frame.name = base::as_text(in.view("name", name_bytes));
  frame.batch = in.rest();
  if (in.ok()) check_address(in, header.flags, frame, fields);
  if (!in.ok()) return base::fail(in.error(header.kind));
  return frame;
}

void encode(std::vector<std::byte>& out, const Deliver& frame, std::uint64_t correlation,
            std::uint8_t flags) {
  ASSERT(flags == 0);
  const std::size_t at = out.size();
  out.resize(at + kDeliverHeaderBytes);
  write_deliver_header(out.data() + at, frame, correlation,
                       static_cast<std::uint32_t>(frame.batch.size()));
}

template <>
base::Result<Deliver> decode<Deliver>(const FrameHeader& header, ByteView body) {
  ASSERT(header.kind == FrameKind::kDeliver);
  DASSERT(body.size() == header.body_bytes);
  BodyReader in(body);
  if ((header.flags & kFlagExtension) != 0) {
    read_extension_area(in, [](std::uint16_t, ByteView) {});
  }
  Deliver frame;
  in.number("subscription", frame.subscription, {1});
  in.number("topic", frame.topic, {1});
  in.number("first", frame.first);
  in.number("count", frame.count, {1});
  frame.batch = in.rest();
  if (!in.ok()) return base::fail(in.error(header.kind));
  return frame;
}

}  // namespace sluice::wire
