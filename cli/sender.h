// sender.h: publishing many messages: fast, or receipt by receipt.
//
// Many messages go out in the client's batches, and receipts are only summed up. A single one, and
// with --receipt each one, waits for its own. With --cancel-after all are withdrawn at the end.
//
// Owner:    the verb; borrows all it is given.
// Thread:   the verb's own.
// Errors:   those of publishing; a receipt that is not ok is no error and shows in totals().
// Tests:    tests/integration/cli/cli_test.py

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/outcome_text.h"
#include "cli/output.h"
#include "cli/pub_options.h"
#include "cli/runtime.h"

namespace sluice::cli {

/// The first receipt that was not ok. Receipts arrive on the client's thread, and the last of them
/// may come after the sender is gone.
class Refusal {
 public:
  void keep(const Receipt& receipt);
  std::optional<Receipt> first() const;

 private:
  mutable std::mutex mutex_;
  std::optional<Receipt> first_;
};

class Sender {
 public:
  /// `refusal` is kept by the client as well, for publishes that name their topic.
  Sender(Runtime& runtime, Client& client, const PubOptions& options,
         std::shared_ptr<Refusal> refusal);

  Status send(std::string_view topic, std::string_view payload);

  /// Waits for all receipts, after Ctrl-C a few seconds at most, and writes out what was printed.
  Status finish();

  PublishedTotals totals() const;
  /// The first receipt that was not ok, if there was one.
  std::optional<Receipt> first_refusal() const { return refusal_->first(); }

 private:
  Status send_and_wait(std::string_view topic);
  Status begin(std::string_view topic);
  Status withdraw();
  void show(const Receipt& receipt);
  Result<Publisher*> publisher_of(std::string_view topic);

  Runtime& runtime_;
  Client& client_;
  const PubOptions& options_;
  Outgoing message_;
  MonotonicTime started_at_;
  Duration elapsed_{0};
  Output out_;
  std::map<std::string, Publisher, std::less<>> publishers_;
  std::vector<Publication> to_withdraw_;
  const std::shared_ptr<Refusal> refusal_;
};

}  // namespace sluice::cli
