#include "server/core/peer.hpp"

#include <gtest/gtest.h>

namespace holdfast::core {
namespace {

TEST(Peer, TheHostWithoutItsPort) {
  EXPECT_EQ(host_of("192.0.2.7:50312"), "192.0.2.7");
  EXPECT_EQ(host_of("[2001:db8::1]:50312"), "2001:db8::1");
  EXPECT_EQ(host_of("gateway:1"), "gateway");
}

TEST(Peer, WhatHasNoPortStays) {
  EXPECT_EQ(host_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(host_of("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(host_of("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(host_of("[2001:db8::1"), "2001:db8::1") << "a stream never says so; nothing breaks";
  EXPECT_EQ(host_of(""), "");
}

}  // namespace
}  // namespace holdfast::core
