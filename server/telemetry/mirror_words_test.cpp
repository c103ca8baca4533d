#include "server/telemetry/mirror.hpp"

#include <gtest/gtest.h>

namespace holdfast::telemetry {
namespace {

core::Notice notice(std::string name, std::string payload) {
  core::Notice out;
  out.name = std::move(name);
  out.payload = std::move(payload);
  return out;
}
const std::string kOf = R"({"device_id":"dev_00000000000000000000000001",)";

std::string text(const ServerEvent& event, const std::string& field) {
  const auto at = event.fields.find(field);
  if (at == event.fields.end()) return "";
  const auto* string = std::get_if<std::string>(&at->second);
  return string != nullptr ? *string : wire::value_text(at->second);
}

TEST(MirrorWords, a_command_is_named) {
  const auto event = event_of(notice(
      "command.changed",
      kOf + R"("command_id":"cmd_1","name":"blink","old_state":"queued","new_state":"sent"})"));
  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->message, "command blink: sent");
  EXPECT_EQ((*event)->kind, "command");
  EXPECT_EQ(text(**event, "name"), "blink");
  EXPECT_EQ(text(**event, "new_state"), "sent");
  EXPECT_EQ(text(**event, "device_id"), "");
}

TEST(MirrorWords, times_are_written_as_times) {
  const auto event =
      event_of(notice("certificate.issued",
                      kOf + R"("serial":"0a","not_after":1767225600000000,"claim_id":null})"));
  ASSERT_TRUE(event && *event);
  EXPECT_EQ(text(**event, "not_after"), "2026-01-01T00:00:00Z");
  EXPECT_EQ((*event)->message, "enrolled with certificate 0a");
}

TEST(MirrorWords, who_did_it_is_kept) {
  auto quarantined = notice("device.quarantined", kOf + R"("reason":"odd"})");
  quarantined.actor = "user:usr_1";
  quarantined.audit_seq = 7;
  const auto event = event_of(quarantined);
  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->message, "quarantined: odd");
  EXPECT_EQ((*event)->severity, "warning");
  EXPECT_EQ(text(**event, "actor"), "user:usr_1");
  EXPECT_EQ(text(**event, "audit_seq"), "7");
}

TEST(MirrorWords, what_is_no_event_and_what_cannot_be_read) {
  EXPECT_FALSE(*event_of(notice("site.created", R"({"site_id":"x"})")));
  EXPECT_FALSE(event_of(notice("command.changed", "nonsense")));
  EXPECT_FALSE(event_of(notice("command.changed", R"({"device_id":"x"})")));
}

}  // namespace
}  // namespace holdfast::telemetry
