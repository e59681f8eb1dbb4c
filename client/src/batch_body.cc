#include "client/src/batch_body.h"

#include <utility>

#include "libs/wire/batch.h"

namespace sluice::detail {

Result<std::shared_ptr<const BatchBody>> make_batch_body(
    const std::shared_ptr<ReceiveMemory>& memory, const wire::Frame& frame,
    const wire::Deliver& deliver, std::shared_ptr<const std::string> topic) {
  auto header = wire::check_batch(deliver.batch, wire::kMaxMaxFrame);
  if (!header) return base::fail(header.error());
  const std::uint64_t end = std::uint64_t{deliver.first} + deliver.count;
  if (deliver.count == 0 || end > header->count) {
    return base::fail(ErrorCode::kBadFrame, "DELIVER means messages that its batch does not have");
  }
  auto body = std::make_shared<BatchBody>();
  body->memory = memory;
  body->frame = frame.body;
  auto records = wire::batch_records(deliver.batch, body->decompressed);
  if (!records) return base::fail(records.error());
  const std::size_t begin = wire::skip_records(records->data(), deliver.first);
  const std::size_t bytes = wire::skip_records(records->data() + begin, deliver.count);
  body->records = records->subspan(begin, bytes);
  body->topic = std::move(topic);
  body->count = deliver.count;
  body->first_sequence = frame.header.correlation;
  body->published_at = WallTime(Duration(static_cast<std::int64_t>(header->publisher_time_ns)));
  return body;
}

}  // namespace sluice::detail
