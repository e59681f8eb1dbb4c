// Which command a frame becomes, and what a client is told of an error.

#include "broker/protocol/native/native_protocol.h"

#include <gtest/gtest.h>
#include <variant>

namespace sluice::protocol::native {
namespace {

using wire::FrameKind;

wire::Frame frame_of(FrameKind kind, std::vector<std::byte> body, std::uint8_t flags = 0) {
  wire::Frame frame;
  frame.header.kind = kind;
  frame.header.flags = flags;
  frame.header.correlation = 7;
  frame.header.body_bytes = static_cast<std::uint32_t>(body.size());
  frame.body = base::SharedBytes::copy_of(body);
  return frame;
}

template <typename T>
wire::Frame encoded(const T& value, std::uint8_t flags = 0) {
  std::vector<std::byte> bytes;
  wire::encode(bytes, value, 7, flags);
  const auto header = wire::read_header(bytes, wire::kMaxMaxFrame);
  wire::Frame frame;
  frame.header = **header;
  frame.body = base::SharedBytes::copy_of(base::ByteView(bytes).subspan(wire::kFrameHeaderBytes));
  return frame;
}

TEST(NativeProtocol, RefusesEveryFrameThatOnlyABrokerSends) {
  for (const FrameKind kind :
       {FrameKind::kWelcome, FrameKind::kTopic, FrameKind::kReceipt, FrameKind::kSubscribed,
        FrameKind::kUnsubscribed, FrameKind::kDeliver, FrameKind::kGap, FrameKind::kGrant,
        FrameKind::kState, FrameKind::kReply, FrameKind::kGoaway, FrameKind::kError}) {
    const auto command = to_command(frame_of(kind, {}));
    ASSERT_FALSE(command.has_value());
    EXPECT_EQ(command.error().code, base::ErrorCode::kUnexpectedFrame);
  }
}

TEST(NativeProtocol, NamesWhatThisBrokerDoesNotOffer) {
  for (const FrameKind kind : {FrameKind::kAuth, FrameKind::kAck, FrameKind::kNack,
                               FrameKind::kExtend, FrameKind::kFetch}) {
    const auto command = to_command(frame_of(kind, {}));
    ASSERT_TRUE(command.has_value());
    const auto* unsupported = std::get_if<model::UnsupportedCommand>(&*command);
    ASSERT_NE(unsupported, nullptr);
    EXPECT_EQ(unsupported->correlation, 7U);
    EXPECT_FALSE(unsupported->what.empty());
  }
}

TEST(NativeProtocol, APublishKeepsItsFlagsAndSharesTheBatch) {
  wire::Publish publish;
  publish.name = "orders";
  const auto flags = static_cast<std::uint8_t>(wire::kPublishNamed | wire::kPublishReceiptProblems |
                                               wire::kPublishNeedResponders);
  std::vector<std::byte> bytes;
  const std::vector<std::byte> batch(90, std::byte{5});
  publish.batch = batch;
  wire::encode(bytes, publish, 7, flags);
  bytes.insert(bytes.end(), batch.begin(), batch.end());
  wire::Frame frame;
  frame.header = **wire::read_header(bytes, wire::kMaxMaxFrame);
  frame.body = base::SharedBytes::copy_of(base::ByteView(bytes).subspan(wire::kFrameHeaderBytes));
  const auto command = to_command(frame);
  ASSERT_TRUE(command.has_value());
  const auto& made = std::get<model::PublishCommand>(*command);
  EXPECT_EQ(made.number, 7U);
  EXPECT_EQ(made.name, "orders");
  EXPECT_EQ(made.receipt_mode, model::ReceiptMode::kProblems);
  EXPECT_TRUE(made.need_responders);
  EXPECT_EQ(made.batch.size(), batch.size());
  EXPECT_EQ(made.batch.slab(), frame.body.slab());
}

TEST(NativeProtocol, ABodyThatIsTooShortIsABadFrame) {
  for (const FrameKind kind : {FrameKind::kHello, FrameKind::kOpenTopic, FrameKind::kPublish,
                               FrameKind::kSubscribe, FrameKind::kUnsubscribe, FrameKind::kCredit,
                               FrameKind::kCancel, FrameKind::kPing, FrameKind::kRequest}) {
    const auto command = to_command(frame_of(kind, {std::byte{1}}));
    ASSERT_FALSE(command.has_value());
    EXPECT_EQ(command.error().code, base::ErrorCode::kBadFrame);
  }
}

TEST(NativeProtocol, ACreditIsTheNumbersItSays) {
  const auto command =
      to_command(encoded(wire::Credit{.subscription = 3, .messages = 4, .bytes = 5}));
  ASSERT_TRUE(command.has_value());
  const auto& credit = std::get<model::CreditCommand>(*command);
  EXPECT_EQ(credit.subscription, 3U);
  EXPECT_EQ(credit.messages, 4U);
  EXPECT_EQ(credit.bytes, 5U);
}

TEST(NativeProtocol, ACancelSaysWhatIsWithdrawnAndWhereItWent) {
  const auto by_id = to_command(encoded(wire::Cancel{.target = 3, .topic = 42}));
  ASSERT_TRUE(by_id.has_value());
  const auto& first = std::get<model::CancelCommand>(*by_id);
  EXPECT_EQ(first.correlation, 7U);
  EXPECT_EQ(first.target, 3U);
  EXPECT_EQ(first.target_kind, FrameKind::kPublish);
  EXPECT_EQ(first.topic, 42U);
  EXPECT_TRUE(first.name.empty());
  const wire::Frame named = encoded(wire::Cancel{.target = 3, .name = "a.b"});
  const auto by_name = to_command(named);
  EXPECT_EQ(std::get<model::CancelCommand>(*by_name).name, "a.b");
  const auto request =
      to_command(encoded(wire::Cancel{.target = 4, .target_kind = FrameKind::kRequest}));
  EXPECT_EQ(std::get<model::CancelCommand>(*request).target_kind, FrameKind::kRequest);
}

TEST(NativeProtocol, ACancelThatCannotBeMeantIsRefused) {
  const auto code = [](const wire::Cancel& cancel, std::uint8_t flags) {
    const auto command = to_command(encoded(cancel, flags));
    return command ? base::ErrorCode::kNone : command.error().code;
  };
  EXPECT_EQ(code({.target = 3}, 0), base::ErrorCode::kBadArgument);
  EXPECT_EQ(code({.target = 3, .target_kind = FrameKind::kPing}, 0), base::ErrorCode::kBadArgument);
  EXPECT_EQ(code({.target = 3, .topic = 42}, wire::kCancelExpired),
            base::ErrorCode::kUnexpectedFrame);
}

TEST(NativeProtocol, AnErrorClosesWhenItsClassSaysSoAndItsTextIsBounded) {
  std::vector<std::byte> out;
  EXPECT_FALSE(encode_error(out, {base::ErrorCode::kBadTopic, "x"}, 9, 4));
  EXPECT_TRUE(encode_error(out, {base::ErrorCode::kBadFrame, std::string(100000, 'x')}, 0));
  const auto first = wire::read_header(out, wire::kMaxMaxFrame);
  const base::ByteView body = base::ByteView(out).subspan(16, (*first)->body_bytes);
  const auto stays = wire::decode<wire::ErrorFrame>(**first, body);
  ASSERT_TRUE(stays.has_value());
  EXPECT_EQ(stays->code, 100);
  EXPECT_EQ(stays->subject, 4U);
  EXPECT_EQ(stays->text, "x");  // the table's text is the receiver's to add
  EXPECT_FALSE(stays->closes);
  EXPECT_EQ((*first)->correlation, 9U);
  EXPECT_LT(out.size(), 2000U);
}

}  // namespace
}  // namespace sluice::protocol::native
