// work.h: what is one cell of the benchmark asked to do, and what came out?
//
// Thread:   values.
// Units:    in the names; payload bytes are the user's bytes alone.
// Tests:    tests/unit/tests/bench/load/work_test.cc

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/result.h"

namespace sluice::bench {

/// The command line of sluice_load.
struct Work {
  std::string peer = "sluice";  // sluice, nats or relay
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  int broker_pid = 0;  // whose CPU and memory are measured
  unsigned publishers = 1;
  unsigned subscribers = 1;
  unsigned lanes = 1;   // Sluice: topics of each publisher's connection, from its own on
  unsigned topics = 1;  // publisher i and subscriber i use topic i modulo topics
  std::uint32_t payload_bytes = 128;
  std::uint32_t messages_per_frame = 0;  // Sluice: 0 fills frames of frame_bytes
  std::uint32_t frame_bytes = 64U << 10;
  double seconds = 3;
  double warmup_seconds = 0.5;
  double drain_seconds = 3;  // without a message, after which what is missing is lost
  double rate = 0;           // messages per second, open loop; 0: as fast as the broker takes them
  std::uint64_t queue_messages = 1U << 20;  // Sluice: bound of each subscription's queue
  std::uint64_t queue_bytes = 16U << 20;
  std::string overflow = "block";  // Sluice: ladder of each subscription

  bool timed() const noexcept { return rate > 0; }
};

/// Reads `--name value` pairs; `--shape P:S` also sets topics to P when P equals S.
/// Errors: kBadArgument naming the option.
base::Result<Work> parse_work(const std::vector<std::string>& arguments);

std::string work_usage();

/// "bench.3": the topic of index 3.
std::string topic_name(unsigned index);

/// Messages of `payload_bytes` that a frame holds, given what one takes and what the frame adds.
std::uint32_t messages_in(std::uint32_t frame_bytes, std::uint32_t fixed_bytes,
                          std::uint32_t message_bytes);

}  // namespace sluice::bench
