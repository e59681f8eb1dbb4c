// request_and_reply.cc: coroutines: a task that answers, and one that asks, on one client each.
//
//   example_request_and_reply 127.0.0.1:4880

#include <cctype>
#include <cstdio>
#include <memory>
#include <sluice/async/async.h>
#include <sluice/client.h>
#include <string>
#include <variant>

namespace {

using sluice::Result;
using sluice::Status;
using sluice::async::Context;
using sluice::async::Scope;
using sluice::async::Task;

// Answers every message in capitals, until its context is done.
Task<Status> answer(Context context, sluice::Client& client, sluice::Subscription requests) {
  for (;;) {
    Result<sluice::Item> item = co_await requests.next(context);
    if (!item) break;
    const auto* message = std::get_if<sluice::Message>(&*item);
    if (message == nullptr || !sluice::Client::wants_reply(*message)) continue;
    std::string text(message->text());
    for (char& letter : text) letter = static_cast<char>(std::toupper(letter));
    sluice::Outgoing reply;
    reply.payload = sluice::as_bytes(text);
    const Status replied = client.reply(*message, reply);
    if (!replied) co_return replied;
  }
  co_return Status();
}

Task<Status> run(Context context, sluice::ClientOptions options) {
  auto connected = co_await sluice::Client::connect(context, options);
  if (!connected) co_return sluice::base::fail(connected.error());
  sluice::Client& client = **connected;

  sluice::Outgoing question;
  question.payload = sluice::as_bytes("is anybody there?");
  const Result<sluice::Message> nobody = co_await client.request(context, "greetings", question);
  std::printf("before: %s\n",
              nobody ? "an answer?" : std::string(nobody.error().info().name).c_str());

  sluice::SubscribeOptions wanted;
  wanted.filters = {"greetings"};
  auto requests = co_await client.subscribe(context, wanted);
  if (!requests) co_return sluice::base::fail(requests.error());
  sluice::async::Executor& executor = co_await sluice::async::this_executor();
  Scope scope(executor, context);
  scope.spawn(answer(scope.context(), client, *requests));
  const Result<sluice::Message> reply = co_await client.request(context, "greetings", question);
  if (reply) std::printf("after: %s\n", std::string(reply->text()).c_str());
  scope.cancel("enough");
  const Status joined = co_await scope.join();
  if (!reply) co_return sluice::base::fail(reply.error());
  const Status drained = co_await client.drain(context);
  co_return joined ? drained : joined;
}

}  // namespace

int main(int argc, char** argv) {
  sluice::ClientOptions options;
  if (argc > 1) options.server = argv[1];
  const Status status = sluice::async::run_here(
      std::chrono::seconds(10), [&](Context context) { return run(context, options); });
  if (status) return 0;
  std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return 1;
}
