#include "client/src/client_core.h"

#include <algorithm>
#include <future>
#include <utility>

#include "libs/base/assert.h"
#include "libs/loop/signals.h"

namespace sluice::detail {
namespace {

constexpr std::uint16_t kDefaultPort = 4880;
constexpr std::size_t kMaxNameBytes = 255;
// The smallest window that a broker grants, so that a batch of several messages always fits one.
constexpr std::size_t kMaxBatchBytes = 64U << 10;
// What a batch and PUBLISH add to one message.
constexpr std::size_t kFrameOverhead = 1024;

Hub::Limits limits_of(const ClientOptions& options) {
  return {options.max_pending_bytes,
          std::clamp<std::size_t>(options.max_batch_bytes, 256, kMaxBatchBytes),
          options.max_frame_bytes - kFrameOverhead};
}

Status check_options(const ClientOptions& options) {
  if (options.max_frame_bytes < wire::kMinMaxFrame ||
      options.max_frame_bytes > wire::kMaxMaxFrame) {
    return base::fail(ErrorCode::kBadArgument, "max_frame_bytes: from 64 KiB to 64 MiB");
  }
  if (options.name.size() > kMaxNameBytes) {
    return base::fail(ErrorCode::kBadArgument, "name: at most 255 bytes");
  }
  if (options.keep_alive < std::chrono::milliseconds(10)) {
    return base::fail(ErrorCode::kBadArgument, "keep_alive: at least 10 ms");
  }
  if (options.reconnect_min <= Duration(0) || options.reconnect_max < options.reconnect_min) {
    return base::fail(ErrorCode::kBadArgument, "reconnect_min: over 0 and within reconnect_max");
  }
  if (options.first_sequence != 0 && options.producer_id == 0) {
    return base::fail(ErrorCode::kBadArgument, "first_sequence: only with a producer_id");
  }
  if (options.first_sequence > kMaxProducerSequence) {
    return base::fail(ErrorCode::kBadArgument, "first_sequence: at most 2^63 - 1");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<ClientCore>> ClientCore::make(ClientOptions options) {
  auto server = loop::parse_host_port(options.server, kDefaultPort);
  if (!server) return base::fail(server.error());
  if (const Status status = check_options(options); !status) return base::fail(status.error());
  loop::ignore_sigpipe();
  std::shared_ptr<ClientCore> core(new ClientCore(std::move(options), std::move(*server)));
  PublisherOptions for_named;
  for_named.on_receipt = core->options_.on_receipt;
  core->named_lane_ = core->make_lane({}, std::move(for_named));
  PublisherOptions for_requests;
  for_requests.need.responders = true;
  // What was asked is not asked again: the answer would come to an inbox that is gone.
  core->request_lane_ = core->add_lane(std::make_shared<Lane>(
      core->hub_, std::string(), std::move(for_requests), Lane::Numbered::kNo));
  return core;
}

ClientCore::ClientCore(ClientOptions options, loop::HostPort server)
    : options_(std::move(options)),
      server_(std::move(server)),
      hub_(std::make_shared<Hub>(limits_of(options_))) {}

ClientCore::~ClientCore() { stop(); }

void ClientCore::start(std::shared_ptr<Slot<ServerInfo>> connected) {
  connected_ = std::move(connected);
  std::promise<void> running;
  io_thread_ = std::thread([this, &running] {
    loop::Loop loop;
    LoopExecutor executor(loop);
    Engine::Observer observer;
    observer.on_state = [this](const ConnectionEvent& event) { on_state(event); };
    observer.on_server = [this](const ServerInfo& info) { on_server(info); };
    Engine engine(loop, hub_, inbox_, options_, server_, std::move(observer));
    loop.on_turn_end([&] {
      executor.run_ready();
      engine.on_turn_end();
    });
    executor_ = &executor;
    {
      const std::lock_guard lock(mutex_);
      engine_ = &engine;
      stop_loop_ = [&loop] { loop.stop(); };
    }
    engine.start();
    running.set_value();
    loop.run();
    engine.close({ErrorCode::kClosed, {}});
    executor.finish();  // coroutines that waited on this client learn of its end
  });
  running.get_future().wait();
}

void ClientCore::stop() {
  if (!io_thread_.joinable()) return;
  ASSERT(io_thread_.get_id() != std::this_thread::get_id());
  {
    const std::lock_guard lock(mutex_);
    engine_ = nullptr;
    stop_loop_();
  }
  io_thread_.join();
}

Status ClientCore::post(std::function<void(Engine&)> work) {
  const std::lock_guard lock(mutex_);
  if (engine_ == nullptr) return base::fail(ErrorCode::kClosed);
  executor_->post([engine = engine_, work = std::move(work)] { work(*engine); });
  return {};
}

std::shared_ptr<Lane> ClientCore::make_lane(std::string topic, PublisherOptions options) {
  const auto numbered = is_producer() ? Lane::Numbered::kYes : Lane::Numbered::kNo;
  return add_lane(std::make_shared<Lane>(hub_, std::move(topic), std::move(options), numbered));
}

std::shared_ptr<Lane> ClientCore::add_lane(std::shared_ptr<Lane> lane) {
  const std::lock_guard lock(mutex_);
  if (lanes_.size() >= sweep_lanes_at_) {
    std::erase_if(lanes_, [](const auto& known) { return known.expired(); });
    sweep_lanes_at_ = std::max<std::size_t>(64, lanes_.size() * 2);
  }
  lanes_.push_back(lane);
  return lane;
}

std::shared_ptr<Lane> ClientCore::lane_for(Need need) {
  const bool needs_nothing = need.durability == Durability::kNone && !need.accept_all &&
                             need.names.empty() && !need.responders;
  if (needs_nothing) return named_lane_;
  PublisherOptions options;
  options.need = std::move(need);
  options.on_receipt = options_.on_receipt;
  return make_lane({}, std::move(options));
}

std::vector<std::shared_ptr<Lane>> ClientCore::lanes() const {
  std::vector<std::shared_ptr<Lane>> alive;
  const std::lock_guard lock(mutex_);
  for (const auto& known : lanes_) {
    if (auto lane = known.lock()) alive.push_back(std::move(lane));
  }
  return alive;
}

PublishTotals ClientCore::totals() const {
  PublishTotals sum = hub_->retired();
  for (const auto& lane : lanes()) add_totals(sum, lane->totals());
  return sum;
}

void ClientCore::on_state(const ConnectionEvent& event) {
  std::shared_ptr<Slot<ServerInfo>> connected;
  {
    const std::lock_guard lock(mutex_);
    state_ = event.state;
    const bool is_decided =
        event.state == ConnectionState::kConnected || event.state == ConnectionState::kClosed;
    if (is_decided) connected = std::exchange(connected_, nullptr);
  }
  if (connected != nullptr && event.state == ConnectionState::kConnected) connected->set(server());
  if (connected != nullptr) connected->set(base::fail(event.error));
  if (options_.on_state) options_.on_state(event);
}

void ClientCore::on_server(const ServerInfo& info) {
  const std::lock_guard lock(mutex_);
  server_info_ = info;
}

ConnectionState ClientCore::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

ServerInfo ClientCore::server() const {
  const std::lock_guard lock(mutex_);
  return server_info_;
}

}  // namespace sluice::detail
