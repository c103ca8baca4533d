#include "server/hub/notices.hpp"

#include <gtest/gtest.h>

namespace holdfast::hub {
namespace {

const std::string kDevice = "dev_01J9Z3K5M70000000000000001";

std::string of_device(std::string more = "") {
  return "{\"device_id\":\"" + kDevice + "\"" + more + "}";
}

TEST(Notices, wake) {
  for (const auto* name : {"command.created", "twin.desired_changed"}) {
    const auto order = read_order(name, of_device());
    ASSERT_TRUE(order) << name;
    EXPECT_EQ(order->kind, Order::Kind::wake);
    EXPECT_EQ(order->device.text(), kDevice);
  }
  EXPECT_TRUE(read_order("command.changed", of_device(R"(,"new_state":"queued")")));
  EXPECT_FALSE(read_order("command.changed", of_device(R"(,"new_state":"delivered")")));
}

TEST(Notices, evict) {
  struct Case {
    std::string_view name;
    std::string more;
    Code code;
  };
  for (const Case& each :
       {Case{"device.quarantined", R"(,"reason":"x")", Code::device_quarantined},
        Case{"device.revoked", R"(,"reason":"x")", Code::device_revoked},
        Case{"device.state_changed", R"(,"new_state":"decommissioned")",
             Code::device_decommissioned},
        Case{"device.state_changed", R"(,"new_state":"quarantined")", Code::device_quarantined}}) {
    const auto order = read_order(each.name, of_device(each.more));
    ASSERT_TRUE(order) << each.name;
    EXPECT_EQ(order->kind, Order::Kind::evict);
    EXPECT_EQ(order->why.code, each.code);
    EXPECT_TRUE(order->serial_hex.empty());
  }
  EXPECT_FALSE(read_order("device.state_changed", of_device(R"(,"new_state":"active")")));
  EXPECT_FALSE(read_order("device.released", of_device()));
}

TEST(Notices, certificates) {
  const auto order = read_order("certificate.revoked", of_device(R"(,"serial":"00ab")"));
  ASSERT_TRUE(order);
  EXPECT_EQ(order->kind, Order::Kind::evict_certificate);
  EXPECT_EQ(order->serial_hex, "00ab");
  EXPECT_FALSE(read_order("certificate.revoked", of_device()));  // never all, by mistake
  EXPECT_EQ(read_order("server_certificate.renewed", "{}")->kind, Order::Kind::renew_credential);
}

TEST(Notices, what_cannot_be_read_is_left_alone) {
  for (const auto* payload : {"", "[]", "{", "{}", R"({"device_id":"x"})", R"({"device_id":7})"}) {
    EXPECT_FALSE(read_order("device.quarantined", payload)) << payload;
  }
  EXPECT_FALSE(read_order("site.created", of_device()));
}

}  // namespace
}  // namespace holdfast::hub
