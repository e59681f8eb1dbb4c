#include "cli/pub_options.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

PubOptions single() {
  PubOptions options;
  options.message.topic = "t";
  options.message.payload = "p";
  return options;
}

TEST(PubOptions, OneSourceOfPayloadsIsNeeded) {
  EXPECT_EQ(contradiction(single()), "");
  PubOptions options = single();
  options.message.payload.reset();
  EXPECT_NE(contradiction(options).find("nothing to publish"), std::string::npos);
  options.lines = true;
  EXPECT_EQ(contradiction(options), "");
  options.message.file = "f";
  EXPECT_EQ(contradiction(options), "give only one of PAYLOAD, --file and --lines");
}

TEST(PubOptions, TopicsComeFromTheCommandLineOrFromTheLines) {
  PubOptions options;
  options.lines = true;
  EXPECT_EQ(contradiction(options), "TOPIC is required");
  options.separator = "\t";
  EXPECT_EQ(contradiction(options), "");
  options.message.topic = "t";
  EXPECT_EQ(contradiction(options), "the topics stand in the lines; leave 't' out");
  options.message.topic.clear();
  options.separator = "";
  EXPECT_EQ(contradiction(options), "--topic-from-line: it is empty");
  options.separator = "\t";
  options.lines = false;
  EXPECT_EQ(contradiction(options), "--topic-from-line needs --lines");
}

TEST(PubOptions, LinesAreNotCounted) {
  PubOptions options = single();
  options.message.payload.reset();
  options.lines = true;
  options.count = 2;
  EXPECT_EQ(contradiction(options), "--count does not go with --lines");
}

TEST(PubOptions, ReceiptsAreAskedForByName) {
  Receipts receipts = Receipts::kAll;
  EXPECT_EQ(read_receipts("none", receipts), "");
  EXPECT_EQ(receipts, Receipts::kNone);
  EXPECT_EQ(read_receipts("problems", receipts), "");
  EXPECT_EQ(receipts, Receipts::kProblems);
  EXPECT_EQ(read_receipts("all", receipts), "");
  EXPECT_EQ(receipts, Receipts::kAll);
  EXPECT_EQ(read_receipts("problem", receipts),
            "'problem' is not all, problems or none; did you mean 'problems'?");
}

TEST(PubOptions, NumbersNeedAProducerAndItsReceipts) {
  PubOptions options = single();
  options.first_sequence = 1;
  EXPECT_EQ(contradiction(options), "--first-sequence needs --producer-id");
  options.producer_id = 7;
  EXPECT_EQ(contradiction(options), "");
  options.first_sequence = kFirstSequenceMax + 1;
  EXPECT_EQ(contradiction(options), "--first-sequence is at most 9223372036854775807");
  options.first_sequence = 0;
  options.receipts = Receipts::kProblems;
  EXPECT_EQ(contradiction(options), "--producer-id needs --receipts all");
}

TEST(PubOptions, WhatIsWithdrawnIsFewAndHasReceipts) {
  PubOptions options = single();
  options.cancel_after = Duration(0);
  EXPECT_EQ(contradiction(options), "");
  options.count = kCancelCountMax + 1;
  EXPECT_EQ(contradiction(options), "--cancel-after withdraws at most 10000 messages");
  options.count = 1;
  options.receipts = Receipts::kNone;
  EXPECT_EQ(contradiction(options), "--cancel-after needs --receipts all");
  options.receipt = true;
  EXPECT_EQ(contradiction(options),
            "--receipt prints each; it does not go with --receipts problems or none");
}

TEST(SplitLine, TheFirstSeparatorCounts) {
  const auto parts = split_line("a.b::c::d", "::");
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->topic, "a.b");
  EXPECT_EQ(parts->payload, "c::d");
  EXPECT_EQ(split_line("a.b\t", "\t")->payload, "");
  EXPECT_EQ(split_line("a.b c", "\t").error().code, ErrorCode::kBadArgument);
}

TEST(ReadNeed, EachWordSetsItsPart) {
  Need need;
  EXPECT_EQ(read_need("disk", need), "");
  EXPECT_EQ(read_need("all", need), "");
  EXPECT_EQ(read_need("responders", need), "");
  EXPECT_EQ(read_need("name:audit log", need), "");
  EXPECT_EQ(need.durability, Durability::kDisk);
  EXPECT_TRUE(need.accept_all);
  EXPECT_TRUE(need.responders);
  EXPECT_EQ(need.names, std::vector<std::string>{"audit log"});
}

TEST(ReadNeed, MistakesAreRefused) {
  Need need;
  EXPECT_EQ(read_need("dsk", need),
            "'dsk' is no need; did you mean 'disk'?; use memory, os, disk, quorum, all, "
            "responders or name:SUBSCRIPTION");
  EXPECT_NE(read_need("name:", need), "");
  for (int i = 0; i < 16; ++i) EXPECT_EQ(read_need("name:x", need), "");
  EXPECT_EQ(read_need("name:x", need), "at most 16 names can be needed");
}

TEST(ReadHeader, NameAndValueStandAroundTheFirstEquals) {
  Headers headers;
  EXPECT_EQ(read_header("a=b=c", headers), "");
  EXPECT_EQ(read_header("empty=", headers), "");
  EXPECT_EQ(headers, (Headers{{"a", "b=c"}, {"empty", ""}}));
  EXPECT_EQ(read_header("none", headers), "'none' is not NAME=VALUE");
  EXPECT_EQ(read_header("=x", headers), "'=x' is not NAME=VALUE");
}

}  // namespace
}  // namespace sluice::cli
