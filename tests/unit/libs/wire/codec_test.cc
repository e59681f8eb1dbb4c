#include "libs/wire/codec.h"

#include <gtest/gtest.h>
#include <limits>

#include "tests/unit/libs/wire/samples.h"

namespace sluice::wire {
namespace {

using base::ErrorCode;
using samples::Bytes;

FrameHeader header_of(const Bytes& frame) {
  auto header = read_header(frame, kMaxMaxFrame);
  EXPECT_TRUE(header && *header);
  return **header;
}

ByteView body_of(const Bytes& frame) { return ByteView(frame).subspan(kFrameHeaderBytes); }

/// Decodes a body, with the header of `frame` but its own size.
template <typename T>
base::Result<T> decode_body(FrameHeader header, ByteView body) {
  header.body_bytes = static_cast<std::uint32_t>(body.size());
  return decode<T>(header, body);
}

/// The error that comes of writing `value` over byte `at` of the body.
template <typename T, typename Integer>
base::Error error_after(Bytes frame, std::size_t at, Integer value) {
  base::store(frame.data() + kFrameHeaderBytes + at, value);
  const auto result = decode<T>(header_of(frame), body_of(frame));
  return result ? base::Error{ErrorCode::kNone, "accepted"} : result.error();
}

template <typename T>
Bytes encoded(const T& frame, std::uint64_t correlation = 0, std::uint8_t flags = 0) {
  Bytes out;
  encode(out, frame, correlation, flags);
  return out;
}

/// A PUBLISH with its batch behind it.
Bytes whole_publish(const Publish& publish, std::uint8_t flags = 0) {
  Bytes out = encoded(publish, 1, flags);
  out.insert(out.end(), publish.batch.begin(), publish.batch.end());
  return out;
}

TEST(Codec, EveryFrameIsReadBackAsItWasWritten) {
  std::size_t kinds = 0;
  samples::for_each_frame([&]<typename T>(const T& frame, std::uint8_t flags,
                                          std::uint64_t correlation, std::size_t body_bytes) {
    ++kinds;
    const Bytes first = encoded(frame, correlation, flags);
    const FrameHeader header = header_of(first);
    EXPECT_EQ(body_bytes, header.body_bytes) << frame_name(header.kind);
    EXPECT_EQ(flags, header.flags & ~kFlagExtension);
    EXPECT_EQ(correlation, header.correlation);
    const auto decoded = decode<T>(header, body_of(first));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(first, encoded(*decoded, correlation, flags)) << frame_name(header.kind);
  });
  EXPECT_EQ(25U, kinds);
}

TEST(Codec, AppendsBehindWhatIsThere) {
  Bytes out = samples::bytes_of("abc");
  encode(out, Ping{.opaque = 1}, 2);
  ASSERT_EQ(3U + 16 + 8, out.size());
  EXPECT_EQ(std::byte{'c'}, out[2]);
  EXPECT_EQ(std::byte{24}, out[3 + 4]);
}

TEST(Codec, RefusesEveryBodyThatIsCutShort) {
  samples::for_each_frame([&]<typename T>(const T& frame, std::uint8_t flags,
                                          std::uint64_t correlation, std::size_t body_bytes) {
    const Bytes whole = encoded(frame, correlation, flags);
    for (std::size_t size = 0; size < body_bytes; ++size) {
      const auto decoded = decode_body<T>(header_of(whole), body_of(whole).first(size));
      ASSERT_FALSE(decoded) << frame_name(header_of(whole).kind) << " " << size;
      EXPECT_EQ(ErrorCode::kBadFrame, decoded.error().code);
      EXPECT_NE(std::string::npos, decoded.error().detail.find(" cut off at byte "));
    }
  });
}

TEST(Codec, RefusesABodyThatGoesOnBehindItsLastField) {
  samples::for_each_frame([&]<typename T>(const T& frame, std::uint8_t flags,
                                          std::uint64_t correlation, std::size_t body_bytes) {
    Bytes longer = encoded(frame, correlation, flags);
    const FrameHeader header = header_of(longer);
    longer.push_back(std::byte{0});
    const auto decoded = decode_body<T>(header, body_of(longer));
    ASSERT_FALSE(decoded);
    EXPECT_EQ(std::string(frame_name(header.kind)) + ": bytes behind the last field at byte " +
                  std::to_string(body_bytes),
              decoded.error().detail);
  });
}

TEST(Codec, SkipsExtensionsItDoesNotKnow) {
  const Bytes newer = {std::byte{9},  std::byte{0}, std::byte{2}, std::byte{0},
                       std::byte{1},  std::byte{2},  // tag 9, two bytes
                       std::byte{10}, std::byte{0}, std::byte{0}, std::byte{0}};  // tag 10, empty
  samples::for_each_frame(
      [&]<typename T>(const T& frame, std::uint8_t flags, std::uint64_t correlation, std::size_t) {
        const Bytes plain = encoded(frame, correlation, flags);
        FrameHeader header = header_of(plain);
        Bytes body(body_of(plain).begin(), body_of(plain).end());
        if ((header.flags & kFlagExtension) == 0) body.insert(body.begin(), 2, std::byte{0});
        header.flags |= kFlagExtension;
        const auto known = base::load<std::uint16_t>(body.data());
        base::store(body.data(), static_cast<std::uint16_t>(known + newer.size()));
        body.insert(body.begin() + 2 + known, newer.begin(), newer.end());
        const auto decoded = decode_body<T>(header, body);
        ASSERT_TRUE(decoded) << frame_name(header.kind) << decoded.error().detail;
        EXPECT_EQ(plain, encoded(*decoded, correlation, flags));
      });
}

TEST(Codec, RefusesAnExtensionAreaThatIsNotWhole) {
  const FrameHeader header{.kind = FrameKind::kPing, .flags = kFlagExtension};
  const auto detail = [&](std::initializer_list<int> bytes) {
    Bytes body;
    for (const int byte : bytes) body.push_back(static_cast<std::byte>(byte));
    const auto decoded = decode_body<Ping>(header, body);
    return decoded ? std::string("accepted") : decoded.error().detail;
  };
  EXPECT_EQ("PING: extension area cut off at byte 0", detail({1}));
  EXPECT_EQ("PING: extension area cut off at byte 2", detail({5, 0, 1, 0, 0, 0}));
  EXPECT_EQ("PING: extension cut off at byte 2", detail({3, 0, 1, 0, 0}));
  EXPECT_EQ("PING: extension cut off at byte 2", detail({4, 0, 1, 0, 1, 0, 0, 0}));
  EXPECT_EQ("PING: extension tags do not rise at byte 6",
            detail({8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Codec, RefusesReservedBytesThatAreSet) {
  const auto expect = [](const base::Error& error, const char* detail) {
    EXPECT_EQ(ErrorCode::kReservedBits, error.code) << detail;
    EXPECT_EQ(detail, error.detail);
  };
  const std::uint8_t set = 1;
  const Bytes welcome = encoded(Welcome{.max_frame = kMinMaxFrame}, 1);
  expect(error_after<Welcome>(welcome, 3, set), "WELCOME: at byte 3");
  expect(error_after<Topic>(encoded(Topic{.topic = 1}), 4, set), "TOPIC: at byte 4");
  expect(error_after<Receipt>(encoded(Receipt{.first_publish = 1}, 1), 11, set),
         "RECEIPT: at byte 11");
  expect(error_after<Subscribe>(encoded(Subscribe{.subscription = 1, .filters = {"a"}}), 47, set),
         "SUBSCRIBE: at byte 47");
  expect(error_after<Unsubscribe>(encoded(Unsubscribe{.subscription = 1}), 7, set),
         "UNSUBSCRIBE: at byte 7");
  expect(error_after<Unsubscribed>(encoded(Unsubscribed{.subscription = 1}), 4, set),
         "UNSUBSCRIBED: at byte 4");
  expect(error_after<Credit>(encoded(Credit{.subscription = 1}), 5, set), "CREDIT: at byte 5");
  expect(error_after<Gap>(encoded(Gap{.subscription = 1, .count = 1}), 6, set), "GAP: at byte 6");
  expect(error_after<Fetch>(encoded(Fetch{}), 1, set), "FETCH: at byte 1");
  expect(error_after<Cancel>(encoded(Cancel{}), 15, set), "CANCEL: at byte 15");
  expect(error_after<Grant>(encoded(Grant{}), 6, set), "GRANT: at byte 6");
  expect(error_after<Reply>(encoded(Reply{}), 2, set), "REPLY: at byte 2");
  expect(error_after<Goaway>(encoded(Goaway{}), 3, set), "GOAWAY: at byte 3");
  expect(error_after<ErrorFrame>(encoded(ErrorFrame{}), 3, set), "ERROR: at byte 3");
  const Bytes batch = samples::sample_batch();
  expect(error_after<Publish>(whole_publish({.topic = 1, .batch = batch}), 6, set),
         "PUBLISH: at byte 6");
}

TEST(Codec, RefusesValuesOutOfTheirBounds) {
  const auto expect = [](const base::Error& error, const char* detail) {
    EXPECT_EQ(ErrorCode::kBadFrame, error.code) << detail;
    EXPECT_EQ(detail, error.detail);
  };
  const std::uint32_t none = 0;
  const auto u8 = [](int value) { return static_cast<std::uint8_t>(value); };
  const auto u16 = [](int value) { return static_cast<std::uint16_t>(value); };
  const Bytes hello = encoded(Hello{}, 1);
  expect(error_after<Hello>(hello, 4, u16(0)), "HELLO: version_min is 0 at byte 4");
  expect(error_after<Hello>(hello, 4, u16(2)), "HELLO: version_min over version_max at byte 4");
  expect(error_after<Hello>(hello, 12, kMinMaxFrame - 1), "HELLO: max_frame is 65535 at byte 12");
  const Bytes welcome = encoded(Welcome{.max_frame = kMinMaxFrame}, 1);
  expect(error_after<Welcome>(welcome, 0, u16(0)), "WELCOME: version is 0 at byte 0");
  expect(error_after<Welcome>(welcome, 8, none), "WELCOME: max_frame is 0 at byte 8");
  expect(error_after<Topic>(encoded(Topic{.topic = 1}), 0, none), "TOPIC: topic is 0 at byte 0");
  const Bytes receipt = encoded(Receipt{.first_publish = 3}, 5);
  expect(error_after<Receipt>(receipt, 0, std::uint64_t{0}),
         "RECEIPT: first_publish is 0 at byte 0");
  expect(error_after<Receipt>(receipt, 0, std::uint64_t{6}),
         "RECEIPT: first_publish behind the last at byte 0");
  expect(error_after<Receipt>(receipt, 8, u8(6)), "RECEIPT: status is 6 at byte 8");
  expect(error_after<Receipt>(receipt, 9, u8(5)), "RECEIPT: durability is 5 at byte 9");
  expect(error_after<Receipt>(receipt, 14, u16(17)),
         "RECEIPT: number of subscriptions is 17 at byte 14");
  const Bytes subscribe = encoded(Subscribe{.subscription = 1, .filters = {"a"}});
  expect(error_after<Subscribe>(subscribe, 0, none), "SUBSCRIBE: subscription is 0 at byte 0");
  expect(error_after<Subscribe>(subscribe, 40, u8(5)), "SUBSCRIBE: from is 5 at byte 40");
  expect(error_after<Subscribe>(subscribe, 41, u8(4)), "SUBSCRIBE: ack_mode is 4 at byte 41");
  expect(error_after<Subscribe>(subscribe, 42, u16(0)),
         "SUBSCRIBE: number of filters is 0 at byte 42");
  expect(error_after<Subscribe>(subscribe, 42, u16(257)),
         "SUBSCRIBE: number of filters is 257 at byte 42");
  expect(error_after<Unsubscribe>(encoded(Unsubscribe{.subscription = 1}), 0, none),
         "UNSUBSCRIBE: subscription is 0 at byte 0");
  expect(error_after<Credit>(encoded(Credit{.subscription = 1}), 0, none),
         "CREDIT: subscription is 0 at byte 0");
  const Bytes ack = encoded(Ack{.subscription = 1, .ranges = {{5, 9}}});
  expect(error_after<Ack>(ack, 4, none), "ACK: number of ranges is 0 at byte 4");
  expect(error_after<Ack>(ack, 4, std::uint32_t{257}), "ACK: number of ranges is 257 at byte 4");
  expect(error_after<Ack>(ack, 16, std::uint64_t{4}), "ACK: last of range is 4 at byte 16");
  const Bytes nack = encoded(Nack{.subscription = 1, .range = {5, 9}});
  expect(error_after<Nack>(nack, 16, std::uint64_t{4}), "NACK: last of range is 4 at byte 16");
  const Bytes extend = encoded(Extend{.subscription = 1, .range = {5, 9}});
  expect(error_after<Extend>(extend, 16, std::uint64_t{4}),
         "EXTEND: last of range is 4 at byte 16");
  expect(error_after<Fetch>(encoded(Fetch{}), 0, u8(5)), "FETCH: from is 5 at byte 0");
  expect(error_after<Cancel>(encoded(Cancel{}), 8, u8(0)), "CANCEL: target_kind is 0 at byte 8");
  expect(error_after<Cancel>(encoded(Cancel{}), 8, u8(28)), "CANCEL: target_kind is 28 at byte 8");
  expect(error_after<State>(encoded(State{}), 0, u8(0)), "STATE: what is 0 at byte 0");
  expect(error_after<ErrorFrame>(encoded(ErrorFrame{}), 2, u8(2)), "ERROR: closes is 2 at byte 2");
}

TEST(Codec, RefusesGapsThatDoNotFitTheirRange) {
  const Bytes gap = encoded(Gap{.subscription = 1, .last_sequence = 20, .count = 11}, 10);
  ASSERT_TRUE(decode<Gap>(header_of(gap), body_of(gap)));
  EXPECT_EQ("GAP: last_sequence before the first at byte 8",
            error_after<Gap>(gap, 8, std::uint64_t{9}).detail);
  EXPECT_EQ("GAP: count over its range at byte 16",
            error_after<Gap>(gap, 16, std::uint64_t{12}).detail);
  EXPECT_EQ("GAP: count is 0 at byte 16", error_after<Gap>(gap, 16, std::uint64_t{0}).detail);
  EXPECT_EQ("GAP: reason is 0 at byte 4", error_after<Gap>(gap, 4, std::uint16_t{0}).detail);
}

TEST(Codec, TakesReasonsAndStatesOfANewerBroker) {
  Bytes gap = encoded(Gap{.subscription = 1, .last_sequence = 1, .count = 1}, 1);
  base::store(gap.data() + kFrameHeaderBytes + 4, std::uint16_t{999});
  const auto decoded = decode<Gap>(header_of(gap), body_of(gap));
  ASSERT_TRUE(decoded);
  EXPECT_EQ("unknown", gap_reason_name(decoded->reason));
  Bytes state = encoded(State{});
  state[kFrameHeaderBytes] = std::byte{200};
  EXPECT_TRUE(decode<State>(header_of(state), body_of(state)));
}

TEST(Codec, ListsAreTakenUpToTheirBound) {
  const Bytes subscribe =
      encoded(Subscribe{.subscription = 1, .filters = std::vector<std::string_view>(256, "a")});
  const auto subscription = decode<Subscribe>(header_of(subscribe), body_of(subscribe));
  ASSERT_TRUE(subscription);
  EXPECT_EQ(256U, subscription->filters.size());
  const Bytes ack = encoded(Ack{.subscription = 1, .ranges = std::vector<SequenceRange>(256)});
  ASSERT_TRUE(decode<Ack>(header_of(ack), body_of(ack)));
  const Bytes receipt = encoded(
      Receipt{.first_publish = 1, .subscriptions = std::vector<ReceiptSubscription>(16)}, 1);
  ASSERT_TRUE(decode<Receipt>(header_of(receipt), body_of(receipt)));
}

TEST(Codec, TextsUpToTheirLengthFieldAreTaken) {
  const std::string longest(std::numeric_limits<std::uint16_t>::max(), 't');
  const Bytes frame = encoded(ErrorFrame{.code = 1, .text = longest});
  const auto decoded = decode<ErrorFrame>(header_of(frame), body_of(frame));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(longest, decoded->text);
}

TEST(Codec, TellsGapReasonsByName) {
  const std::vector<std::string_view> names = {
      "dropped_oldest", "dropped_newest", "conflated", "expired",  "disconnected", "lagged",
      "too_large",      "rejected",       "cancelled", "squeezed", "spill_lost"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(names[i], gap_reason_name(static_cast<GapReason>(i + 1)));
  }
}

TEST(CodecHello, RefusesAnotherProtocolsMagic) {
  const Bytes hello = encoded(Hello{}, 1);
  const base::Error error = error_after<Hello>(hello, 0, std::uint32_t{0x20544547});
  EXPECT_EQ(ErrorCode::kBadMagic, error.code);
  EXPECT_EQ("HELLO: magic at byte 0", error.detail);
}

TEST(CodecHello, TakesEpochsThatCanStillRise) {
  constexpr std::uint64_t kHighest = UINT64_MAX / 2;
  for (const std::uint64_t epoch : {kHighest, kHighest + 1}) {
    const Bytes hello = encoded(Hello{.producer_id = 7, .producer_epoch = epoch}, 1);
    const auto decoded = decode_body<Hello>(header_of(hello), body_of(hello));
    ASSERT_EQ(decoded.has_value(), epoch == kHighest);
    if (decoded) {
      EXPECT_EQ(decoded->producer_epoch, kHighest);
    } else {
      EXPECT_EQ(decoded.error().code, ErrorCode::kBadFrame);
    }
  }
}

TEST(CodecPublish, IsReadBackByIdAndByName) {
  const Bytes batch = samples::sample_batch();
  const Bytes by_id = whole_publish({.topic = 77, .batch = batch}, kPublishReceiptProblems);
  const auto first = decode<Publish>(header_of(by_id), body_of(by_id));
  ASSERT_TRUE(first);
  EXPECT_EQ(kPublishReceiptProblems, header_of(by_id).flags);
  EXPECT_EQ(77U, first->topic);
  EXPECT_TRUE(first->name.empty());
  EXPECT_EQ(batch, Bytes(first->batch.begin(), first->batch.end()));

  const Bytes by_name = whole_publish({.name = "a.b", .batch = batch});
  EXPECT_EQ(kPublishNamed, header_of(by_name).flags);
  const auto second = decode<Publish>(header_of(by_name), body_of(by_name));
  ASSERT_TRUE(second);
  EXPECT_EQ(0U, second->topic);
  EXPECT_EQ("a.b", second->name);
  EXPECT_EQ(batch, Bytes(second->batch.begin(), second->batch.end()));
}

TEST(CodecPublish, CarriesDeadlineAndNeeds) {
  const Bytes batch = samples::sample_batch();
  const Bytes frame = whole_publish(
      {.topic = 1,
       .batch = batch,
       .deadline_ns = 123,
       .need = {
           .durability = Durability::kDisk, .accept_all = true, .names = {"audit", "billing"}}});
  EXPECT_EQ(kFlagExtension, header_of(frame).flags);
  const auto decoded = decode<Publish>(header_of(frame), body_of(frame));
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(123U, decoded->deadline_ns);
  EXPECT_EQ(Durability::kDisk, decoded->need.durability);
  EXPECT_TRUE(decoded->need.accept_all);
  EXPECT_EQ((std::vector<std::string_view>{"audit", "billing"}), decoded->need.names);
  EXPECT_EQ(frame, whole_publish(*decoded));
}

TEST(CodecPublish, RefusesAddressesThatContradictThemselves) {
  const Bytes batch = samples::sample_batch();
  const auto detail = [](Bytes frame, std::uint8_t flags, std::uint32_t topic) {
    frame[5] = std::byte{flags};
    return error_after<Publish>(std::move(frame), 0, topic).detail;
  };
  const Bytes by_id = whole_publish({.topic = 1, .batch = batch});
  const Bytes by_name = whole_publish({.name = "a", .batch = batch});
  EXPECT_EQ("accepted", detail(by_id, 0, 1));
  EXPECT_EQ("PUBLISH: neither topic id nor name at byte 0", detail(by_id, 0, 0));
  EXPECT_EQ("PUBLISH: the name is empty at byte 4", detail(by_id, kPublishNamed, 0));
  EXPECT_EQ("PUBLISH: topic id beside a name at byte 0", detail(by_name, kPublishNamed, 1));
  EXPECT_EQ("PUBLISH: a name without its flag at byte 4", detail(by_name, 0, 1));
  EXPECT_EQ("PUBLISH: flags ask for two kinds of receipt at byte 0",
            detail(by_id, kPublishReceiptProblems | kPublishReceiptNone, 1));
}

/// The error of a PUBLISH whose extension area is `area`.
std::string extension_error(const Bytes& area) {
  Bytes body(2);
  base::store(body.data(), static_cast<std::uint16_t>(area.size()));
  body.insert(body.end(), area.begin(), area.end());
  body.resize(body.size() + 8);
  body[2 + area.size()] = std::byte{1};  // topic 1
  const FrameHeader header{.kind = FrameKind::kPublish, .flags = kFlagExtension};
  const auto decoded = decode_body<Publish>(header, body);
  return decoded ? "accepted" : decoded.error().detail;
}

Bytes tagged(int tag, std::string_view value) {
  Bytes out(4);
  base::store(out.data(), static_cast<std::uint16_t>(tag));
  base::store(out.data() + 2, static_cast<std::uint16_t>(value.size()));
  const Bytes bytes = samples::bytes_of(value);
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

TEST(CodecPublish, RefusesExtensionsThatAreWrong) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ("accepted", extension_error({}));
  EXPECT_EQ("accepted", extension_error(tagged(6, "newer")));
  EXPECT_EQ("PUBLISH: deadline cut off at byte 6", extension_error(tagged(1, "1234567")));
  EXPECT_EQ("PUBLISH: bytes behind an extension's value at byte 14",
            extension_error(tagged(1, "123456789")));
  EXPECT_EQ("PUBLISH: deadline is 0 at byte 6", extension_error(tagged(1, "\0\0\0\0\0\0\0\0"sv)));
  EXPECT_EQ("PUBLISH: needed durability is 0 at byte 6", extension_error(tagged(2, "\0"sv)));
  EXPECT_EQ("PUBLISH: needed durability is 5 at byte 6", extension_error(tagged(2, "\x05")));
  EXPECT_EQ("PUBLISH: accept_all is 2 at byte 6", extension_error(tagged(3, "\x02")));
  EXPECT_EQ("PUBLISH: number of needed names is 0 at byte 6", extension_error(tagged(4, "\0\0"sv)));
  EXPECT_EQ("PUBLISH: number of needed names is 17 at byte 6",
            extension_error(tagged(4, "\x11\0"sv)));
  EXPECT_EQ("PUBLISH: needed name cut off at byte 10",
            extension_error(tagged(4, "\x01\0\x02\0a"sv)));
}

/// The error of the frame when its extension area is `area` instead.
template <typename T>
std::string error_with_area(const T& frame, const Bytes& area) {
  const Bytes plain = encoded(frame, 1);
  FrameHeader header = header_of(plain);
  EXPECT_EQ(0, header.flags);
  header.flags = kFlagExtension;
  Bytes body(2);
  base::store(body.data(), static_cast<std::uint16_t>(area.size()));
  body.insert(body.end(), area.begin(), area.end());
  body.insert(body.end(), body_of(plain).begin(), body_of(plain).end());
  const auto decoded = decode_body<T>(header, body);
  return decoded ? "accepted" : decoded.error().detail;
}

TEST(CodecExtensions, OfOtherFramesAreReadBack) {
  const Bytes receipt = encoded(Receipt{.first_publish = 1, .text = "limit"}, 1);
  EXPECT_EQ("limit", decode<Receipt>(header_of(receipt), body_of(receipt))->text);

  const Bytes subscribe =
      encoded(Subscribe{.subscription = 1, .filters = {"a"}, .resume = {6, 2, 9}});
  const auto resume = decode<Subscribe>(header_of(subscribe), body_of(subscribe))->resume;
  EXPECT_EQ(6U, resume.session);
  EXPECT_EQ(2U, resume.subscription);
  EXPECT_EQ(9U, resume.last_sequence);

  const Bytes subscribed = encoded(Subscribed{.subscription = 1, .resumed = {true, 12, 3}});
  const auto resumed = decode<Subscribed>(header_of(subscribed), body_of(subscribed))->resumed;
  EXPECT_TRUE(resumed.known);
  EXPECT_EQ(12U, resumed.matched);
  EXPECT_EQ(3U, resumed.discarded);
  const Bytes unknown = encoded(Subscribed{.subscription = 1});
  EXPECT_FALSE(decode<Subscribed>(header_of(unknown), body_of(unknown))->resumed.known);

  const Bytes cancel = encoded(Cancel{.target = 3, .name = "a.b"}, 4);
  const auto named = decode<Cancel>(header_of(cancel), body_of(cancel));
  EXPECT_EQ("a.b", named->name);
  EXPECT_EQ(0U, named->topic);
}

TEST(CodecExtensions, OfOtherFramesAreRefusedWhenWrong) {
  using std::string_view_literals::operator""sv;
  const Receipt receipt{.first_publish = 1};
  EXPECT_EQ("accepted", error_with_area(receipt, tagged(1, std::string(kReceiptTextMax, 't'))));
  EXPECT_EQ("RECEIPT: text over 1024 bytes at byte 6",
            error_with_area(receipt, tagged(1, std::string(kReceiptTextMax + 1, 't'))));

  const Subscribe subscribe{.subscription = 1, .filters = {"a"}};
  const std::string session("\1\0\0\0\0\0\0\0"sv);
  const std::string none(8, '\0');
  EXPECT_EQ("accepted", error_with_area(subscribe, tagged(1, session + "abcd" + none)));
  EXPECT_EQ("SUBSCRIBE: resumed session is 0 at byte 6",
            error_with_area(subscribe, tagged(1, none + "abcd" + none)));
  EXPECT_EQ("SUBSCRIBE: resumed subscription is 0 at byte 14",
            error_with_area(subscribe, tagged(1, session + none + none)));
  EXPECT_EQ("SUBSCRIBE: last sequence seen cut off at byte 18",
            error_with_area(subscribe, tagged(1, session + "abcd")));
  EXPECT_EQ("SUBSCRIBE: bytes behind an extension's value at byte 26",
            error_with_area(subscribe, tagged(1, session + "abcd" + none + "x")));

  EXPECT_EQ("SUBSCRIBED: discarded cut off at byte 14",
            error_with_area(Subscribed{.subscription = 1}, tagged(1, none)));

  Bytes both = tagged(1, "abcd");
  const Bytes name = tagged(2, "a.b");
  EXPECT_EQ("accepted", error_with_area(Cancel{}, both));
  EXPECT_EQ("accepted", error_with_area(Cancel{}, name));
  EXPECT_EQ("CANCEL: topic is 0 at byte 6", error_with_area(Cancel{}, tagged(1, "\0\0\0\0"sv)));
  EXPECT_EQ("CANCEL: name over 255 bytes at byte 6",
            error_with_area(Cancel{}, tagged(2, std::string(256, 'n'))));
  both.insert(both.end(), name.begin(), name.end());
  EXPECT_EQ("CANCEL: topic id beside a name at byte 17", error_with_area(Cancel{}, both));
}

TEST(CodecExtensions, TextOfAReceiptIsCutAtItsBound) {
  const std::string longer(kReceiptTextMax + 1, 't');
  const Bytes receipt = encoded(Receipt{.first_publish = 1, .text = longer}, 1);
  const auto decoded = decode<Receipt>(header_of(receipt), body_of(receipt));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(kReceiptTextMax, decoded->text.size());
}

TEST(CodecDeliver, IsReadBackAndItsHeaderIsThirtyTwoBytes) {
  const Bytes batch = samples::sample_batch();
  const Deliver deliver{.subscription = 2, .topic = 3, .first = 4, .count = 5, .batch = batch};
  Bytes frame = encoded(deliver, 1000);
  EXPECT_EQ(32U, frame.size());
  frame.insert(frame.end(), batch.begin(), batch.end());
  const FrameHeader header = header_of(frame);
  EXPECT_EQ(FrameKind::kDeliver, header.kind);
  EXPECT_EQ(1000U, header.correlation);
  const auto decoded = decode<Deliver>(header, body_of(frame));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(2U, decoded->subscription);
  EXPECT_EQ(3U, decoded->topic);
  EXPECT_EQ(4U, decoded->first);
  EXPECT_EQ(5U, decoded->count);
  EXPECT_EQ(batch, Bytes(decoded->batch.begin(), decoded->batch.end()));
  EXPECT_EQ("DELIVER: count is 0 at byte 12",
            error_after<Deliver>(frame, 12, std::uint32_t{0}).detail);
  EXPECT_EQ("DELIVER: subscription is 0 at byte 0",
            error_after<Deliver>(frame, 0, std::uint32_t{0}).detail);
  EXPECT_EQ("DELIVER: topic is 0 at byte 4",
            error_after<Deliver>(frame, 4, std::uint32_t{0}).detail);
  EXPECT_EQ("DELIVER: count cut off at byte 12",
            decode_body<Deliver>(header, body_of(frame).first(15)).error().detail);
}

}  // namespace
}  // namespace sluice::wire
