#include "broker/config/suggest.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(EditDistance, Counts_single_slips) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("shards", "shards"), 0U);
  EXPECT_EQ(edit_distance("shard", "shards"), 1U);
  EXPECT_EQ(edit_distance("shrads", "shards"), 1U) << "neighbours swapped";
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, Is_the_same_both_ways) {
  EXPECT_EQ(edit_distance("max_lag", "lag_max"), edit_distance("lag_max", "max_lag"));
}

TEST(DidYouMean, Names_the_nearest_candidate) {
  EXPECT_EQ(did_you_mean("shard", {"data_dir", "shards"}), "; did you mean \"shards\"?");
  EXPECT_EQ(did_you_mean("queue", {"max_lag", "queue_bytes"}), "; did you mean \"queue_bytes\"?");
}

TEST(DidYouMean, Is_silent_about_other_words) {
  EXPECT_EQ(did_you_mean("colour", {"data_dir", "shards"}), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

}  // namespace
}  // namespace sluice::config
