#include "broker/admin/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace sluice::admin {
namespace {

TEST(Process, Tells_what_the_process_uses) {
  metrics::NodeMetrics node;
  read_process(node);
  EXPECT_GT(node.resident_memory, 100'000);
  EXPECT_GE(node.open_descriptors, 3);
  EXPECT_GE(node.descriptors_limit, node.open_descriptors);
  EXPECT_GT(node.cpu_time, 0);
}

TEST(Process, Counts_a_descriptor_that_is_opened) {
  metrics::NodeMetrics before;
  read_process(before);
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  metrics::NodeMetrics after;
  read_process(after);
  close(descriptor);
  EXPECT_EQ(after.open_descriptors, before.open_descriptors + 1);
}

}  // namespace
}  // namespace sluice::admin
