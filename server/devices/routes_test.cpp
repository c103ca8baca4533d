#include "server/devices/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/devices/fixture_test.hpp"

namespace holdfast::devices {
namespace {

using core::Asking;
using core::Role;
using wire::JsonArray;
using wire::JsonObject;

Asking at(DeviceId id, wire::Json body = {}, std::string if_match = {}) {
  return {{{"device_id", id.text()}}, {}, std::move(body), std::move(if_match)};
}

TEST(DeviceRoutes, ADeviceIsShownWithItsRevision) {
  Plant p;
  const DeviceId id = p.device("pump", {}, {{"line", "3"}});
  const auto got = p.ask("get_device", at(id));
  ASSERT_EQ(got.status, 200);
  EXPECT_EQ(got.text("/name"), "pump");
  EXPECT_EQ(got.text("/state"), "enrolled");
  EXPECT_EQ(got.text("/tags/line"), "3");
  EXPECT_EQ(got.at("/presence/online"), wire::Json(false));
  EXPECT_TRUE(got.at("/site_id").is_null());
  EXPECT_TRUE(got.at("/serial").is_null()) << "empty is null";
  EXPECT_TRUE(got.at("/agent").is_null());
  EXPECT_EQ(got.etag(), "\"" + std::to_string(p.get(id).revision) + "\"");
  EXPECT_EQ(p.ask("get_device", {.path = {{"device_id", "dev_nonsense"}}}).code(), Code::not_found);
}

TEST(DeviceRoutes, CertificatesShowWhetherTheyWork) {
  Plant p;
  const DeviceId id = p.device("pump");
  const Certificate certificate{"01ab", p.now(), p.now() + days(90), p.now() + days(60),
                                "ff",   "P-256"};
  ASSERT_TRUE(p.t.store().record(core::Caller::system(), "test.issue", [&](core::Change& change) {
    return p.registry->set_certificate(change, id, certificate);
  }));
  EXPECT_EQ(p.ask("get_device", at(id)).text("/certificate/state"), "valid");
  p.settle(days(90));
  EXPECT_EQ(p.ask("get_device", at(id)).text("/certificate/state"), "expired");
  ASSERT_TRUE(p.registry->revoke(core::test_caller(), id, "stolen"));
  const auto revoked = p.ask("get_device", at(id));
  EXPECT_EQ(revoked.text("/certificate/state"), "revoked");
  EXPECT_EQ(revoked.at("/quarantine/revoked"), wire::Json(true));
  EXPECT_EQ(revoked.text("/quarantine/reason"), "stolen");
}

TEST(DeviceRoutes, AChangeWantsTheRevisionAndAtLeastOneMember) {
  Plant p;
  const DeviceId id = p.device("pump");
  const std::string tag = p.ask("get_device", at(id)).etag();
  const JsonObject body{{"name", "pump 8"}};
  EXPECT_EQ(p.ask("update_device", at(id, body)).code(), Code::precondition_required);
  EXPECT_EQ(p.ask("update_device", at(id, body, "\"99\"")).code(), Code::precondition_failed);
  EXPECT_EQ(p.ask("update_device", at(id, JsonObject{}, tag)).code(), Code::invalid_argument);
  EXPECT_EQ(p.ask("update_device", at(id, JsonObject{{"colour", "red"}}, tag)).code(),
            Code::unknown_field);
  const auto changed = p.ask("update_device", at(id, body, tag));
  ASSERT_EQ(changed.status, 200) << changed.error->text();
  EXPECT_EQ(changed.text("/name"), "pump 8");
  EXPECT_NE(changed.etag(), tag);
  EXPECT_EQ(p.ask("update_device", at(id, body, tag)).code(), Code::precondition_failed)
      << "of two, one";
}

TEST(DeviceRoutes, MembersThatAreWrongAreNamed) {
  Plant p;
  const DeviceId id = p.device("pump");
  const auto refused = [&](JsonObject body, std::string_view pointer) {
    const auto answer = p.ask("update_device", at(id, body, "*"));
    EXPECT_EQ(answer.code(), Code::invalid_argument) << wire::json_text(body);
    EXPECT_EQ(answer.pointer(), pointer) << wire::json_text(body);
  };
  refused({{"name", nullptr}}, "/name");
  refused({{"site_id", 7}}, "/site_id");
  refused({{"site_id", "typ_x"}}, "/site_id");
  refused({{"type_id", TypeId{}.text()}}, "/type_id");
  refused({{"tags", JsonArray{}}}, "/tags");
  refused({{"tags", JsonObject{{"a", 1}}}}, "/tags/a");
  refused({{"tags", JsonObject{{"a b", "1"}}}}, "/tags/a b");
}

TEST(DeviceRoutes, PermissionComesBeforeEverythingElse) {
  Plant p;
  const SiteId mine = p.site("mine");
  const DeviceId there = p.device("there");
  const auto caller = someone(Role::operator_, std::vector{mine});
  for (const char* operation :
       {"get_device", "update_device", "set_device_tag", "delete_device_tag", "quarantine_device",
        "release_device", "revoke_device"}) {
    // No body, no If-Match, no tag: none of that is said to who may not.
    for (const DeviceId& id : {there, DeviceId{}}) {
      EXPECT_EQ(p.ask(operation, at(id), caller).code(), Code::forbidden) << operation;
    }
    EXPECT_EQ(p.ask(operation, {.path = {{"device_id", "x"}}}, caller).code(), Code::forbidden)
        << operation;
  }
}

TEST(DeviceRoutes, TagsByPath) {
  Plant p;
  const DeviceId id = p.device("pump");
  Asking asking = at(id, JsonObject{{"value", "3"}});
  asking.path.emplace_back("tag", "line");
  const auto set = p.ask("set_device_tag", asking);
  ASSERT_EQ(set.status, 200) << set.error->text();
  EXPECT_EQ(set.text("/tags/line"), "3");
  asking.body = JsonObject{};
  EXPECT_EQ(p.ask("set_device_tag", asking).pointer(), "/value");
  asking.body = {};
  EXPECT_EQ(p.ask("delete_device_tag", asking).status, 200);
  EXPECT_EQ(p.ask("delete_device_tag", asking).code(), Code::not_found);
}

TEST(DeviceRoutes, ActsWantAReasonWhereOneIsOwed) {
  Plant p;
  const DeviceId id = p.device("pump");
  EXPECT_EQ(p.ask("quarantine_device", at(id)).code(), Code::invalid_argument);
  EXPECT_EQ(p.ask("quarantine_device", at(id, JsonObject{})).pointer(), "/reason");
  EXPECT_EQ(p.ask("quarantine_device", at(id, JsonObject{{"reason", ""}})).pointer(), "/reason");
  const auto held = p.ask("quarantine_device", at(id, JsonObject{{"reason", "odd"}}));
  ASSERT_EQ(held.status, 200);
  EXPECT_EQ(held.text("/state"), "quarantined");
  EXPECT_EQ(held.text("/quarantine/reason"), "odd");
  EXPECT_EQ(p.ask("release_device", at(id)).text("/state"), "enrolled") << "none is owed here";
  EXPECT_EQ(p.ask("release_device", at(id)).code(), Code::conflict);
  EXPECT_EQ(p.ask("revoke_device", at(id, JsonObject{{"reason", "gone"}})).text("/state"),
            "quarantined");
}

TEST(DeviceRoutes, TheListTakesWhatTheContractNames) {
  Plant p;
  const SiteId site = p.site("here");
  const DeviceId id = p.device("pump 1", site, {{"line", "3"}});
  p.device("pump 2", site);
  p.device("valve");
  const auto found = p.ask("list_devices", {.query = {{"q", "PUMP"},
                                                      {"site_id", site.text()},
                                                      {"state", "enrolled"},
                                                      {"state", "active"},
                                                      {"tag", "line=3"},
                                                      {"online", "false"},
                                                      {"sort", "-created_at"}}});
  ASSERT_EQ(found.status, 200) << found.error->text();
  EXPECT_EQ(found.at("/total_estimate"), wire::Json(1));
  EXPECT_EQ(found.text("/items/0/id"), id.text());
  const auto page = p.ask("list_devices", {.query = {{"limit", "2"}}});
  const auto rest =
      p.ask("list_devices", {.query = {{"limit", "2"}, {"cursor", page.text("/next_cursor")}}});
  EXPECT_EQ(rest.text("/items/0/name"), "valve");
  EXPECT_TRUE(rest.at("/next_cursor").is_null());
  const auto facets = p.ask("get_device_facets", {.query = {{"site_id", site.text()}}});
  EXPECT_EQ(facets.at("/state/0/count"), wire::Json(2));
  EXPECT_EQ(facets.at("/site").as_array().size(), 2U) << "its own filter does not hide the others";
}

TEST(DeviceRoutes, AWrongParameterIsNamed) {
  Plant p;
  const auto refused = [&](std::string name, std::string value) {
    for (const char* operation : {"list_devices", "get_device_facets"}) {
      const auto answer = p.ask(operation, {.query = {{name, value}}});
      EXPECT_EQ(answer.code(), Code::invalid_argument) << name << "=" << value;
      EXPECT_EQ(answer.pointer(), "?" + name) << name << "=" << value;
    }
  };
  refused("state", "retired");
  refused("site_id", "x");
  refused("type_id", "dev_x");
  refused("online", "maybe");
  refused("sort", "size");
  refused("limit", "0");
  refused("limit", "1001");
  refused("q", std::string(129, 'x'));
  refused("cursor", "%%%");
  http::Params many(101, {"tag", "a"});
  EXPECT_EQ(p.ask("list_devices", {.query = many}).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace holdfast::devices
