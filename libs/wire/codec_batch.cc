#include "libs/wire/body_io.h"
#include "libs/wire/codec.h"

// The two frames that carry a batch: PUBLISH, with its extension area, and DELIVER.

namespace sluice::wire {
namespace {

using base::ErrorCode;

constexpr Bounds kNotZero{1};
constexpr Bounds kDurability{1, static_cast<std::uint64_t>(Durability::kQuorum)};
constexpr Bounds kNames{1, 16};

template <typename Io>
void extensions(Io& io, typename Io::template Of<Publish>& f) {
  io.tag(1, f.deadline_ns != 0, [&] { io.number("deadline", f.deadline_ns, kNotZero); });
  io.tag(2, f.need.durability != Durability::kNone,
         [&] { io.choice("needed durability", f.need.durability, kDurability); });
  io.tag(3, f.need.accept_all, [&] { io.yes_no("accept_all", f.need.accept_all); });
  io.tag(4, !f.need.names.empty(), [&] {
    io.template list_size<std::uint16_t>("number of needed names", f.need.names, kNames);
    for (auto& name : f.need.names) io.text("needed name", name);
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
  flags = static_cast<std::uint8_t>(flags & ~kFlagExtension);
  BodyWriter writer(out, {.kind = FrameKind::kPublish, .flags = flags, .correlation = correlation});
  extensions<BodyWriter>(writer, frame);
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
  in.begin_extensions(header.flags);
  extensions<BodyReader>(in, frame);
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
  in.begin_extensions(header.flags);
  Deliver frame;
  in.number("subscription", frame.subscription, kNotZero);
  in.number("topic", frame.topic, kNotZero);
  in.number("first", frame.first);
  in.number("count", frame.count, kNotZero);
  frame.batch = in.rest();
  if (!in.ok()) return base::fail(in.error(header.kind));
  return frame;
}

}  // namespace sluice::wire
