#include "libs/crypto/admission.hpp"

#include <gtest/gtest.h>

namespace holdfast::crypto {
namespace {

constexpr MonoTime at(std::int64_t ms) {
  return MonoTime{ms * 1000};
}

TEST(Admission, FirstComeFirstServed) {
  Admission admission;
  admission.set_limits({2, 100});
  for (Admission::Ticket t = 1; t <= 4; ++t) EXPECT_EQ(admission.arrived(t), std::nullopt);
  EXPECT_EQ(admission.next(at(0)), std::nullopt);  // nobody spoke
  admission.spoke(4);
  admission.spoke(2);
  admission.spoke(3);
  EXPECT_EQ(admission.next(at(0)), 2U);
  EXPECT_EQ(admission.next(at(0)), 3U);
  EXPECT_EQ(admission.next(at(0)), std::nullopt);
  EXPECT_EQ(admission.waiting(), 1U);
  EXPECT_EQ(admission.silent(), 1U);
  admission.left(2);
  EXPECT_EQ(admission.next(at(0)), 4U);
  EXPECT_EQ(admission.active(), 2U);
}

TEST(Admission, TheOldestSilentOneGoes) {
  Admission admission;
  admission.set_limits({1, 3});
  for (Admission::Ticket t = 1; t <= 3; ++t) EXPECT_EQ(admission.arrived(t), std::nullopt);
  EXPECT_EQ(admission.arrived(4), 1U);
  admission.spoke(2);  // waits, and counts with the silent ones
  EXPECT_EQ(admission.arrived(5), 3U);
  EXPECT_EQ(admission.arrived(6), 4U);
  EXPECT_EQ(admission.silent() + admission.waiting(), 3U);
  admission.left(6);
  admission.left(5);
  EXPECT_EQ(admission.arrived(7), std::nullopt);
}

TEST(Admission, WhenAllWaitTheLongestWaitingGoes) {
  Admission admission;
  admission.set_limits({1, 2});
  for (Admission::Ticket t = 1; t <= 2; ++t) {
    admission.arrived(t);
    admission.spoke(t);
  }
  EXPECT_EQ(admission.arrived(3), 1U);
  EXPECT_EQ(admission.waiting(), 1U);
}

TEST(Admission, StalledOnesGiveWayOnlyToOthers) {
  Admission admission;
  admission.set_limits({2, 10});
  for (Admission::Ticket t = 1; t <= 2; ++t) {
    admission.arrived(t);
    admission.spoke(t);
    admission.next(at(0));
  }
  EXPECT_EQ(admission.stalled(at(60'000)), std::nullopt);  // nobody waits
  admission.arrived(3);
  admission.spoke(3);
  EXPECT_EQ(admission.stalled(at(999)), std::nullopt);
  admission.progressed(1, at(900));
  EXPECT_EQ(admission.stalled(at(1000)), 2U);
  admission.left(2);
  EXPECT_EQ(admission.stalled(at(60'000)), std::nullopt);  // there is a free slot
  EXPECT_EQ(admission.next(at(1000)), 3U);
}

TEST(Admission, UnknownTicketsAreFine) {
  Admission admission;
  admission.left(7);
  admission.spoke(7);
  admission.progressed(7, at(0));
  EXPECT_EQ(admission.silent() + admission.waiting() + admission.active(), 0U);
}

TEST(Admission, FewerSlotsAreKeptFromNowOn) {
  Admission admission;
  admission.set_limits({3, 10});
  for (Admission::Ticket t = 1; t <= 4; ++t) {
    admission.arrived(t);
    admission.spoke(t);
  }
  for (int i = 0; i < 3; ++i) admission.next(at(0));
  admission.set_limits({1, 10});
  admission.left(1);
  EXPECT_EQ(admission.next(at(0)), std::nullopt);
  admission.left(2);
  admission.left(3);
  EXPECT_EQ(admission.next(at(0)), 4U);
}

}  // namespace
}  // namespace holdfast::crypto
