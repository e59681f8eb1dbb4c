#include "cli/sender.h"

#include <unistd.h>
#include <utility>

namespace sluice::cli {

Sender::Sender(Runtime& runtime, Client& client, const PubOptions& options)
    : runtime_(runtime),
      client_(client),
      options_(options),
      message_(outgoing_of(options.message)),
      started_at_(runtime.now()),
      out_(STDOUT_FILENO) {}

Status Sender::send(std::string_view topic, std::string_view payload) {
  message_.payload = as_bytes(payload);
  if (options_.message.deadline.count() > 0) {
    message_.deadline = runtime_.wall_now() + options_.message.deadline;
  }
  const bool single = !options_.lines && options_.count == 1;
  if (options_.receipt || single) return send_and_wait(topic);
  // A topic that comes with its line may never come again: the client opens it for the moment.
  const bool once = options_.separator && !options_.need;
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
  if (!options_.receipt) return {};
  const bool json = runtime_.globals().json;
  out_.append((json ? receipt_json(*receipt) : receipt_text(*receipt)) + '\n');
  return out_.flush();
}

Result<Publisher*> Sender::publisher_of(std::string_view topic) {
  auto found = publishers_.find(topic);
  if (found == publishers_.end()) {
    PublisherOptions options;
    options.need = options_.need.value_or(Need{});
    options.on_receipt = [refusal = refusal_](const Receipt& receipt) { refusal->keep(receipt); };
    auto publisher = client_.publisher(topic, std::move(options));
    if (!publisher) return base::fail(publisher.error());
    found = publishers_.emplace(std::string(topic), std::move(*publisher)).first;
  }
  return &found->second;
}

void Sender::Refusal::keep(const Receipt& receipt) {
  if (receipt.ok()) return;
  const std::lock_guard lock(mutex);
  if (!first) first = receipt;
}

Status Sender::finish() {
  Status flushed = runtime_.wait(client_.flush(runtime_.context()));
  if (runtime_.interrupt().is_interrupted()) {  // before, or while it waited
    async::CancelSource end = runtime_.finishing();
    flushed = runtime_.wait(client_.flush(end.context()));
  }
  elapsed_ = runtime_.now() - started_at_;
  Status printed = out_.flush();
  return flushed ? printed : flushed;
}

PublishedTotals Sender::totals() const {
  PublishedTotals totals;
  totals.sums = client_.totals();
  totals.elapsed = elapsed_;
  return totals;
}

std::optional<Receipt> Sender::first_refusal() const {
  const std::lock_guard lock(refusal_->mutex);
  return refusal_->first;
}

}  // namespace sluice::cli
