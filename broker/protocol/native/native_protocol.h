// native_protocol.h: what does a frame of the native protocol ask for?
//
// Frames in, commands out; no state but the reader's. The other direction needs no translation, as
// the native protocol's frames are the broker's own vocabulary (libs/wire/frames.h); its only
// refinement here is what a client is told of an error.
//
// Owner:    one connection.
// Thread:   the owner shard only.
// Limits:   before HELLO a frame's body may have wire::kMaxHandshakeBody bytes.
// Errors:   those of libs/wire, and kUnexpectedFrame for frames only a broker sends.
// Source:   docs/formats/wire.md
// Tests:    tests/unit/broker/protocol/native, tests/fuzz/fuzz_shard.cc

#pragma once

#include <optional>

#include "broker/model/command.h"
#include "libs/wire/codec.h"
#include "libs/wire/frame_reader.h"

namespace sluice::protocol::native {

/// The command of a whole frame. Views in it point into frame.body.
base::Result<model::Command> to_command(const wire::Frame& frame);

/// Appends ERROR for `error`. `closes` is added for what the table calls close.
/// Returns whether the connection has to end.
bool encode_error(std::vector<std::byte>& out, const base::Error& error, std::uint64_t correlation,
                  std::uint32_t subject = 0);

}  // namespace sluice::protocol::native
