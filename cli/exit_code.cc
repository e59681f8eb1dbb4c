#include "cli/exit_code.h"

namespace sluice::cli {

ExitCode exit_code_of(const Error& error) noexcept {
  switch (error.code) {
    case ErrorCode::kBadTopic:
    case ErrorCode::kBadFilter:
    case ErrorCode::kBadLadder:
    case ErrorCode::kBadArgument:
    case ErrorCode::kReservedTopic:
    case ErrorCode::kGroupMismatch:
    case ErrorCode::kUnknownLimit:
      return ExitCode::kUsage;
    case ErrorCode::kConnectFailed:
      return ExitCode::kCannotConnect;
    case ErrorCode::kQueueFull:
    case ErrorCode::kShardBusy:
    case ErrorCode::kMemoryBudget:
    case ErrorCode::kTopicLimit:
    case ErrorCode::kDurabilityUnavailable:
    case ErrorCode::kNeedNotMet:
    case ErrorCode::kRateLimited:
    case ErrorCode::kMessageTooLarge:
      return ExitCode::kNotAccepted;
    case ErrorCode::kTimeout:
    case ErrorCode::kDeadlineExceeded:
      return ExitCode::kTimeout;
    case ErrorCode::kNoResponders:
      return ExitCode::kNoResponders;
    default:
      return ExitCode::kFailure;
  }
}

}  // namespace sluice::cli
