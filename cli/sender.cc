#include "cli/sender.h"

#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "cli/report.h"

namespace sluice::cli {

Sender::Sender(Runtime& runtime, Client& client, const PubOptions& options,
               std::shared_ptr<Refusal> refusal)
    : runtime_(runtime),
      client_(client),
      options_(options),
      message_(outgoing_of(options.message)),
      started_at_(runtime.now()),
      out_(STDOUT_FILENO),
      refusal_(std::move(refusal)) {}

Status Sender::send(std::string_view topic, std::string_view payload) {
  message_.payload = as_bytes(payload);
  if (options_.message.deadline.count() > 0) {
    message_.deadline = runtime_.wall_now() + options_.message.deadline;
  }
  if (options_.cancel_after || (options_.each && !options_.receipt)) return begin(topic);
  const bool single = !options_.lines && options_.count == 1 && options_.receipts == Receipts::kAll;
  if (options_.receipt || single) return send_and_wait(topic);
  // A topic that comes with its line may never come again: the client opens it for the moment.
  const bool once = options_.separator && !options_.need && options_.receipts == Receipts::kAll;
  if (once) {
    Status sent = client_.try_publish(topic, message_);
    if (sent || sent.error().code != ErrorCode::kWouldBlock) return sent;
    return runtime_.wait(client_.publish(runtime_.context(), std::string(topic), message_));
  }
  auto publisher = publisher_of(topic);
  if (!publisher) return base::fail(publisher.error());
  Status sent = (*publisher)->try_publish(message_);
  if (sent || sent.error().code != ErrorCode::kWouldBlock) return sent;
  return runtime_.wait((*publisher)->publish(runtime_.context(), message_));
}

Status Sender::send_and_wait(std::string_view topic) {
  Need need = options_.need.value_or(Need{});
  auto receipt = runtime_.wait(
      client_.publish_and_wait(runtime_.context(), std::string(topic), message_, std::move(need)));
  if (!receipt) return base::fail(receipt.error());
  refusal_->keep(*receipt);
  if (receipt->status == ReceiptStatus::kDuplicate && !options_.receipt) {
    note(runtime_.globals(),
         fmt::format("duplicate: the broker had taken number {} of this producer before",
                     receipt->producer_sequence));
  }
  if (!options_.receipt) return {};
  show(*receipt);
  return out_.flush();
}

void Sender::show(const Receipt& receipt) {
  const bool json = runtime_.globals().json;
  out_.append((json ? receipt_json(receipt) : receipt_text(receipt)) + '\n');
}

Status Sender::begin(std::string_view topic) {
  auto publisher = publisher_of(topic);
  if (!publisher) return base::fail(publisher.error());
  auto begun = runtime_.wait((*publisher)->begin(runtime_.context(), message_));
  if (!begun) return base::fail(begun.error());
  if (options_.cancel_after) to_withdraw_.push_back(std::move(*begun));
  return {};
}

// Takes back all that begin() has published. Ctrl-C shortens the wait before, not the rest.
Status Sender::withdraw() {
  runtime_.sleep(*options_.cancel_after);
  async::CancelSource end = runtime_.finishing();
  WithdrawnTotals totals;
  for (Publication& publication : to_withdraw_) {
    auto withdrawal = runtime_.wait(publication.cancel(end.context()));
    if (!withdrawal) return base::fail(withdrawal.error());
    totals.add(*withdrawal);
    if (!options_.receipt) continue;
    auto receipt = runtime_.wait(publication.receipt(end.context()));
    if (!receipt) return base::fail(receipt.error());
    show(*receipt);
  }
  const bool json = runtime_.globals().json;
  out_.append((json ? withdrawn_json(totals) : withdrawn_text(totals)) + '\n');
  return {};
}

Result<Publisher*> Sender::publisher_of(std::string_view topic) {
  auto found = publishers_.find(topic);
  if (found == publishers_.end()) {
    PublisherOptions options;
    options.need = options_.need.value_or(Need{});
    options.receipts = options_.receipts;
    options.on_receipt = [refusal = refusal_](const Receipt& receipt) { refusal->keep(receipt); };
    auto publisher = client_.publisher(topic, std::move(options));
    if (!publisher) return base::fail(publisher.error());
    found = publishers_.emplace(std::string(topic), std::move(*publisher)).first;
  }
  return &found->second;
}

void Refusal::keep(const Receipt& receipt) {
  if (receipt.ok() || receipt.status == ReceiptStatus::kCancelled) return;
  const std::lock_guard lock(mutex_);
  if (!first_) first_ = receipt;
}

std::optional<Receipt> Refusal::first() const {
  const std::lock_guard lock(mutex_);
  return first_;
}

Status Sender::finish() {
  Status withdrawn;
  if (options_.cancel_after) withdrawn = withdraw();
  Status flushed = runtime_.wait(client_.flush(runtime_.context()));
  if (runtime_.interrupt().is_interrupted()) {  // before, or while it waited
    async::CancelSource end = runtime_.finishing();
    flushed = runtime_.wait(client_.flush(end.context()));
  }
  elapsed_ = runtime_.now() - started_at_;
  if (options_.receipts != Receipts::kAll) {
    // What was sent without asking for an answer has arrived, and problems were told, once the
    // broker has closed its side too.
    async::CancelSource end = runtime_.finishing();
    const Status drained = runtime_.wait(client_.drain(end.context()));
    if (flushed) flushed = drained;
  }
  Status printed = out_.flush();
  if (!withdrawn) return withdrawn;
  return flushed ? printed : flushed;
}

PublishedTotals Sender::totals() const {
  PublishedTotals totals;
  totals.sums = client_.totals();
  totals.receipts = options_.receipts;
  totals.elapsed = elapsed_;
  return totals;
}

}  // namespace sluice::cli
