// Does each subscription get the messages of a publisher in the order in which they were published?
// Per topic, and over topics where they share a window (publishes by name).

#include <map>

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

class OrderChecker final : public Checker {
 public:
  std::string_view name() const override { return "order"; }

  void at_rest(const World& world) override {
    const History& history = world.history();
    const Books books(world);
    for (const QueueBook& book : books.queues()) {
      check_once(history, book);
      // What a member leaves behind goes to another, who may have seen later ones.
      if (book.shared && !book.whole) continue;
      for (const std::size_t place : book.members) check_member(history, place);
    }
  }

 private:
  void check_member(const History& history, std::size_t place) {
    const Subscribed& subscribed = history.subscriptions[place];
    const auto& all = history.actors[subscribed.actor].client->told();
    const auto told = all.find(subscribed.id);
    if (told == all.end()) return;
    std::map<std::string, std::uint64_t> last;  // by publisher and window
    for (const testing::Told& each : told->second) {
      if (each.count != 0) continue;
      const std::uint64_t number = message_number(each.payload);
      const Published& published = history.publishes[history.publish_of[number]];
      if (published.topic != each.topic) {
        broken(subscribed.shown_name + " got message " + std::to_string(number) +
               " of another topic");
      }
      std::uint64_t& before =
          last[std::to_string(published.actor) + (published.named ? "" : " " + each.topic)];
      if (number <= before) {
        broken(subscribed.shown_name + " got message " + std::to_string(number) + " after " +
               std::to_string(before));
      }
      before = number;
    }
  }

  // Each message at most once by queue, whoever of its members got it.
  void check_once(const History& history, const QueueBook& book) {
    if (!book.shared) return;
    std::vector<bool> seen(history.publish_of.size());
    for (const std::size_t place : book.members) {
      const Subscribed& subscribed = history.subscriptions[place];
      const auto& all = history.actors[subscribed.actor].client->told();
      const auto told = all.find(subscribed.id);
      if (told == all.end()) continue;
      for (const testing::Told& each : told->second) {
        if (each.count != 0) continue;
        const std::uint64_t number = message_number(each.payload);
        if (seen[number]) broken(book.name + " got message " + std::to_string(number) + " twice");
        seen[number] = true;
      }
    }
  }
};

}  // namespace

std::unique_ptr<Checker> make_order_checker() { return std::make_unique<OrderChecker>(); }

}  // namespace sluice::sim
