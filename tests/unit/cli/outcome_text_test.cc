#include "cli/outcome_text.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Receipt refused() {
  Receipt receipt;
  receipt.status = ReceiptStatus::kRejected;
  receipt.durability = Durability::kNone;
  receipt.pressure = 1;
  receipt.reason = ErrorCode::kQueueFull;
  receipt.retry_after = milliseconds(50);
  receipt.messages = 1;
  receipt.matched = 2;
  receipt.rejected = 2;
  receipt.refused_by = {{"slow one", "queue-full", 2}};
  receipt.refused_by_unlisted = 3;
  receipt.text = "2 of 2 messages";
  return receipt;
}

TEST(OutcomeText, AReceiptTellsWhatThereIsToTell) {
  Receipt receipt;
  receipt.durability = Durability::kMemory;
  receipt.messages = 1;
  receipt.matched = 2;
  receipt.accepted = 2;
  EXPECT_EQ(receipt_text(receipt), "accepted messages=1 durability=memory matched=2 accepted=2");
  EXPECT_EQ(receipt_text(refused()),
            "rejected messages=1 durability=none matched=2 accepted=0 rejected=2 pressure=1.00 "
            "reason=queue-full retry_after=50ms refused_by=slow one:queue-full:2 "
            "refused_by_unlisted=3 text=\"2 of 2 messages\"");
}

TEST(OutcomeText, AReceiptOfAProducerHasItsNumber) {
  Receipt receipt;
  receipt.status = ReceiptStatus::kDuplicate;
  receipt.messages = 1;
  receipt.producer_sequence = 7;
  EXPECT_EQ(receipt_text(receipt),
            "duplicate messages=1 durability=none matched=0 accepted=0 producer_sequence=7");
  EXPECT_NE(receipt_json(receipt).find(R"("producer_sequence":7,)"), std::string::npos);
}

TEST(OutcomeText, AReceiptAsJsonAlwaysHasAllFields) {
  EXPECT_EQ(
      receipt_json(refused()),
      R"({"status":"rejected","messages":1,"durability":"none","matched":2,"accepted":0,)"
      R"("spilled":0,"dropped":0,"rejected":2,"pressure":1.0,"sequence":0,"producer_sequence":0,)"
      R"("reason":"queue-full","retry_after_ns":50000000,"refused_by":[{"subscription":)"
      R"("slow one","reason":"queue-full","copies":2}],"refused_by_unlisted":3,)"
      R"("text":"2 of 2 messages"})");
  EXPECT_NE(receipt_json(Receipt{}).find(R"("reason":null)"), std::string::npos);
}

TEST(OutcomeText, AGapNamesItsRangeAndReason) {
  const Gap gap{11, 130, 120, 2048, "dropped_oldest"};
  EXPECT_EQ(gap_text(gap),
            "gap: 120 messages missing, sequence 11 to 130, 2.00 KiB: dropped_oldest");
  EXPECT_EQ(gap_json(gap),
            R"({"gap":{"first_sequence":11,"last_sequence":130,"count":120,"bytes":2048,)"
            R"("reason":"dropped_oldest"}})");
}

TEST(OutcomeText, AGapOfUnknownSizeSaysSo) {
  const Gap gap{0, 0, 0, 0, "disconnected"};
  EXPECT_EQ(gap_text(gap), "gap: unknown number of messages missing: disconnected");
}

TEST(OutcomeText, AReconnectionNamesItsCause) {
  const Reconnected again{Error{ErrorCode::kConnectionLost, "reset by peer"}, seconds(2)};
  EXPECT_EQ(reconnected_json(again),
            R"({"reconnected":{"away_ns":2000000000,"lost_because":"connection-lost: the )"
            R"(connection was lost (reset by peer); reconnect","gap_is_exact":false}})");
}

TEST(OutcomeText, VolumeHasARateOnlyWhereThereIsOne) {
  EXPECT_EQ(volume_text(0, 0, Duration{0}), "0 messages, 0 B");
  EXPECT_EQ(volume_text(1, 10, seconds(1)), "1 message, 10 B");
  EXPECT_EQ(volume_text(4000, 8192, seconds(2)),
            "4 000 messages, 8.00 KiB in 2.00 s (2 000/s, 4.00 KiB/s)");
}

TEST(OutcomeText, WhatWasReceivedIsSummedUp) {
  ReceivedTotals totals;
  totals.messages = 3;
  totals.bytes = 30;
  totals.add(Gap{4, 5, 2, 20, "dropped_oldest"});
  totals.add(Gap{7, 7, 1, 10, "lagged"});
  totals.account = SubscriptionAccount{6, 3, 3, 0};
  EXPECT_EQ(received_text(totals),
            "3 messages, 30 B; 2 gaps, 3 missing, 2 dropped_oldest, 1 lagged; broker: 6 matched = "
            "3 delivered + 3 dropped + 0 discarded");
  EXPECT_EQ(received_json(totals),
            R"({"messages":3,"bytes":30,"elapsed_ns":0,"gaps":2,"missing":3,"missing_by_reason":)"
            R"({"dropped_oldest":2,"lagged":1},"reconnects":0,"account":{"matched":6,)"
            R"("delivered":3,"dropped":3,"discarded":0}})");
}

TEST(OutcomeText, WhatWasPublishedIsSummedUpByOutcome) {
  PublishedTotals totals;
  totals.sums.messages = 5;
  totals.sums.bytes = 50;
  totals.sums.answered = 4;
  totals.sums.ok = 3;
  totals.sums.unknown = 1;
  totals.sums.matched = 8;
  totals.sums.accepted = 6;
  totals.sums.rejected = 2;
  totals.sums.by_status[0] = 3;
  totals.sums.by_status[2] = 1;
  totals.not_published = 1;
  EXPECT_EQ(published_text(totals),
            "5 messages, 50 B; receipts: 3 accepted, 1 rejected; copies: 8 matched, 6 accepted, "
            "2 rejected; outcome of 1 unknown; 1 line not published");
  EXPECT_EQ(published_json(totals),
            R"({"messages":5,"bytes":50,"elapsed_ns":0,"answered":4,"ok":3,"unknown":1,)"
            R"("not_published":1,"receipts":{"accepted":3,"partial":0,"rejected":1,"expired":0,)"
            R"("cancelled":0,"duplicate":0},"copies":{"matched":8,"accepted":6,"spilled":0,)"
            R"("dropped":0,"rejected":2,"expired_later":0,"withdrawn":0}})");
}

TEST(OutcomeText, ReceiptsThatWereNotAskedForAreNotMissed) {
  PublishedTotals totals;
  totals.sums.messages = 3;
  totals.sums.bytes = 30;
  totals.receipts = Receipts::kNone;
  EXPECT_NE(published_text(totals).find("receipts: not asked for;"), std::string::npos);
  EXPECT_EQ(published_text(totals).find("unknown"), std::string::npos);
  totals.receipts = Receipts::kProblems;
  EXPECT_NE(published_text(totals).find("receipts: no problems;"), std::string::npos);
  totals.receipts = Receipts::kAll;
  EXPECT_NE(published_text(totals).find("outcome of 3 unknown"), std::string::npos);
}

TEST(OutcomeText, WhatCameAfterTheReceiptsIsCounted) {
  PublishedTotals totals;
  totals.sums.expired_later = 4;
  totals.sums.withdrawn = 2;
  EXPECT_NE(published_text(totals).find(", 4 expired later, 2 withdrawn"), std::string::npos);
}

TEST(OutcomeText, AWithdrawalSaysHowMuchItTookBack) {
  WithdrawnTotals totals;
  totals.add({true, 1});
  EXPECT_EQ(withdrawn_text(totals), "withdrawn: 1 copy of 1 message");
  totals.add({true, 4});
  totals.add({false, 0});
  EXPECT_EQ(withdrawn_text(totals), "withdrawn: 5 copies of 3 messages; 1 were never sent");
  EXPECT_EQ(withdrawn_json(totals), R"({"withdrawn":{"publishes":3,"not_sent":1,"copies":5}})");
}

}  // namespace
}  // namespace sluice::cli
