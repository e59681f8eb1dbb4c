// frame_types.h: which struct belongs to a kind that is only known when the test runs?
//
// Tests:    used by tests/conformance and tests/fuzz/fuzz_frame.cc

#pragma once

#include <cstdlib>

#include "libs/wire/codec.h"

namespace sluice::wire {

/// Calls `visit.template operator()<T>()` with the struct of `kind`. Requires: a kind that
/// read_header lets pass.
template <typename Visit>
auto with_frame_type(FrameKind kind, Visit visit) {
  switch (kind) {
    case FrameKind::kHello:
      return visit.template operator()<Hello>();
    case FrameKind::kWelcome:
      return visit.template operator()<Welcome>();
    case FrameKind::kAuth:
      return visit.template operator()<Auth>();
    case FrameKind::kOpenTopic:
      return visit.template operator()<OpenTopic>();
    case FrameKind::kTopic:
      return visit.template operator()<Topic>();
    case FrameKind::kPublish:
      return visit.template operator()<Publish>();
    case FrameKind::kReceipt:
      return visit.template operator()<Receipt>();
    case FrameKind::kSubscribe:
      return visit.template operator()<Subscribe>();
    case FrameKind::kSubscribed:
      return visit.template operator()<Subscribed>();
    case FrameKind::kUnsubscribe:
      return visit.template operator()<Unsubscribe>();
    case FrameKind::kUnsubscribed:
      return visit.template operator()<Unsubscribed>();
    case FrameKind::kCredit:
      return visit.template operator()<Credit>();
    case FrameKind::kDeliver:
      return visit.template operator()<Deliver>();
    case FrameKind::kGap:
      return visit.template operator()<Gap>();
    case FrameKind::kAck:
      return visit.template operator()<Ack>();
    case FrameKind::kNack:
      return visit.template operator()<Nack>();
    case FrameKind::kExtend:
      return visit.template operator()<Extend>();
    case FrameKind::kFetch:
      return visit.template operator()<Fetch>();
    case FrameKind::kCancel:
      return visit.template operator()<Cancel>();
    case FrameKind::kGrant:
      return visit.template operator()<Grant>();
    case FrameKind::kState:
      return visit.template operator()<State>();
    case FrameKind::kRequest:
      return visit.template operator()<Request>();
    case FrameKind::kReply:
      return visit.template operator()<Reply>();
    case FrameKind::kPing:
      return visit.template operator()<Ping>();
    case FrameKind::kPong:
      return visit.template operator()<Pong>();
    case FrameKind::kGoaway:
      return visit.template operator()<Goaway>();
    case FrameKind::kError:
      return visit.template operator()<ErrorFrame>();
  }
  std::abort();
}

}  // namespace sluice::wire
