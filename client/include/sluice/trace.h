// trace.h: which trace does this work belong to, and which values travel with it?
//
//   Context traced = with_traceparent(ctx,
//   "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"); co_await
//   orders.publish(with_baggage(traced, "tenant", "7"), message); … Context context =
//   context_of(ctx, message);  // where it arrives: the same trace and values
//
// Publishing with such a context, and asking with it, puts them into the message's headers
// `traceparent`, `tracestate` and `baggage`, unless it has a header of that name. The broker hands
// headers on as they are. Nothing here checks or makes trace ids: that is a tracing library's work.
//
// Thread:   values; any thread.
// Limits:   kBaggageBytesMax: what would exceed it is left out.
// Source:   W3C Trace Context, W3C Baggage; docs/formats/wire.md, section Records
// Tests:    tests/unit/client/trace_test.cc

#pragma once

#include <optional>
#include <sluice/async/context.h>
#include <sluice/message.h>
#include <string>
#include <string_view>

namespace sluice {

inline constexpr std::string_view kTraceparentHeader = "traceparent";
inline constexpr std::string_view kTracestateHeader = "tracestate";
inline constexpr std::string_view kBaggageHeader = "baggage";
inline constexpr std::size_t kBaggageBytesMax = 8192;  // of the whole header, as W3C says

async::Context with_traceparent(const async::Context& context, std::string traceparent,
                                std::string tracestate = {});
/// The same with one more value; a later one of the same key hides it. `key` is a token of letters,
/// digits and !#$%&'*+-.^_`|~; the value may be any text.
async::Context with_baggage(const async::Context& context, std::string_view key,
                            std::string_view value);

/// Empty when there is none.
std::string_view traceparent_of(const async::Context& context) noexcept;
std::string_view tracestate_of(const async::Context& context) noexcept;
/// The value of that key, decoded.
std::optional<std::string> baggage_of(const async::Context& context, std::string_view key);
/// The whole header's value.
std::string_view baggage_of(const async::Context& context) noexcept;

/// `parent` with the trace and the values that `message` carries.
async::Context context_of(const async::Context& parent, const MessageView& message);

}  // namespace sluice
