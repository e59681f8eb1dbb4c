// group_members.h: who of a shared subscription is next?
//
// Members with credit stand in a line: the first is dealt to and goes to its end, or, where its
// credit is used up, out of it until more comes. Nothing here looks at all members.
//
// Owner:    the Group.
// Thread:   the owner shard only.
// Limits:   every call takes constant time, but for each().
// Tests:    tests/unit/broker/shard/group_members_test.cc

#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

#include "broker/shard/letters.h"
#include "libs/base/assert.h"

namespace sluice::shard {

/// One consumer of a shared subscription.
struct Member {
  MemberKey key;
  std::string name;
  queue::Credit credit;        // deal() charges it; more of it by GroupMembers::grant()
  std::uint32_t paced_by = 0;  // the limit of its connection that something dealt to it waits for
};

class GroupMembers {
 public:
  std::size_t size() const noexcept { return places_.size(); }
  bool empty() const noexcept { return places_.empty(); }
  /// How many have credit.
  std::size_t open() const noexcept { return open_.size(); }

  /// Requires: it is not there.
  void add(Member&& member) {
    std::list<Member>& line = member.credit.open() ? open_ : closed_;
    line.push_back(std::move(member));
    const bool added = places_.emplace(hash(line.back().key), std::prev(line.end())).second;
    ASSERT(added);
  }
  /// False: it is not there (any more).
  bool grant(const MemberKey& key, const queue::Credit& more) {
    const auto place = places_.find(hash(key));
    if (place == places_.end()) return false;
    Member& member = *place->second;
    const bool was_open = member.credit.open();
    member.credit.messages += more.messages;
    member.credit.bytes += more.bytes;
    if (!was_open && member.credit.open()) open_.splice(open_.end(), closed_, place->second);
    return true;
  }
  /// The limit that something dealt to it waits for, 0 for none. False: that was known, or it is
  /// not there (any more).
  bool pace(const MemberKey& key, std::uint32_t limit) {
    const auto place = places_.find(hash(key));
    if (place == places_.end() || place->second->paced_by == limit) return false;
    set_pace(*place->second, limit);
    return true;
  }
  /// A limit that a member waits for; 0: none does.
  std::uint32_t paced_by() const noexcept { return paced_ == 0 ? 0 : paced_by_; }

  /// Requires: it is there.
  void remove(const MemberKey& key) {
    const auto place = places_.find(hash(key));
    ASSERT(place != places_.end());
    set_pace(*place->second, 0);
    (place->second->credit.open() ? open_ : closed_).erase(place->second);
    places_.erase(place);
  }

  /// Whose turn it is. Requires: open() > 0.
  Member& first() { return open_.front(); }
  /// It has had its turn.
  void first_was_dealt_to() {
    std::list<Member>& line = open_.front().credit.open() ? open_ : closed_;
    line.splice(line.end(), open_, open_.begin());
  }

  template <typename Visit>
  void each(Visit visit) const {
    for (const Member& member : open_) visit(member);
    for (const Member& member : closed_) visit(member);
  }

 private:
  // A join is its shard's own and never comes again.
  static std::uint64_t hash(const MemberKey& member) noexcept {
    return (std::uint64_t{member.shard.value()} << 48) ^ member.join;
  }

  void set_pace(Member& member, std::uint32_t limit) {
    if (member.paced_by != 0) --paced_;
    if (limit != 0) {
      ++paced_;
      paced_by_ = limit;
    }
    member.paced_by = limit;
  }

  std::list<Member> open_;
  std::list<Member> closed_;
  std::unordered_map<std::uint64_t, std::list<Member>::iterator> places_;
  std::size_t paced_ = 0;       // members that wait for a limit
  std::uint32_t paced_by_ = 0;  // the one that was said last
};

}  // namespace sluice::shard
