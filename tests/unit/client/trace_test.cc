// Which trace and values a context carries, as text of the two W3C recommendations.

#include <gtest/gtest.h>
#include <sluice/trace.h>

namespace sluice {
namespace {

using async::Context;

TEST(Trace, AContextWithoutOneSaysNothing) {
  const Context none;
  EXPECT_EQ(traceparent_of(none), "");
  EXPECT_EQ(tracestate_of(none), "");
  EXPECT_EQ(baggage_of(none), "");
  EXPECT_EQ(baggage_of(none, "k"), std::nullopt);
}

TEST(Trace, AnInnerTraceHidesTheOuterOneAndItsState) {
  const Context outer = with_traceparent(Context(), "00-a-b-01", "vendor=1");
  EXPECT_EQ(traceparent_of(outer), "00-a-b-01");
  EXPECT_EQ(tracestate_of(outer), "vendor=1");
  const Context inner = with_traceparent(outer, "00-c-d-01");
  EXPECT_EQ(traceparent_of(inner), "00-c-d-01");
  EXPECT_EQ(tracestate_of(inner), "");
}

TEST(Trace, ValuesAddUpAndTheLatestOfAKeyCounts) {
  Context context = with_baggage(Context(), "tenant", "7");
  context = with_baggage(context, "user", "anna");
  context = with_baggage(context, "tenant", "8");
  EXPECT_EQ(baggage_of(context), "user=anna,tenant=8");
  EXPECT_EQ(baggage_of(context, "tenant"), "8");
  EXPECT_EQ(baggage_of(context, "user"), "anna");
  EXPECT_EQ(baggage_of(context, "us"), std::nullopt);
}

TEST(Trace, AnyTextIsAValue) {
  const std::string odd = "a b,c;d=e\"\\%25 \xc3\xa4\n";
  const Context context = with_baggage(Context(), "k", odd);
  EXPECT_EQ(baggage_of(context), "k=a%20b%2Cc%3Bd=e%22%5C%2525%20%C3%A4%0A");
  EXPECT_EQ(baggage_of(context, "k"), odd);
}

TEST(Trace, WhatWouldBeTooLongIsLeftOut) {
  const Context context = with_baggage(Context(), "k", "v");
  const Context same = with_baggage(context, "long", std::string(kBaggageBytesMax, 'x'));
  EXPECT_EQ(baggage_of(same), "k=v");
}

}  // namespace
}  // namespace sluice
