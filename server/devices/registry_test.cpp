#include "server/devices/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/devices/fixture_test.hpp"

namespace holdfast::devices {
namespace {

using core::Role;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Registry, ADeviceIsMadeWithItsEvidence) {
  Plant p;
  const SiteId site = p.site("Hall 3");
  const TypeId type = p.type("pump");
  const std::int64_t before = core::last_notice(p.t.store());
  NewDevice wanted{"pump 7", "E3-0042", type, site, {{"line", "3"}}, EvidenceClass::software};
  const DeviceId id = p.try_device(wanted, false).value();
  const Device made = p.get(id);
  EXPECT_EQ(made.name, "pump 7");
  EXPECT_EQ(made.serial, "E3-0042");
  EXPECT_EQ(made.state, State::registered);
  EXPECT_EQ(made.type_name, "pump");
  EXPECT_EQ(made.site_name, "Hall 3");
  EXPECT_EQ(made.tags, (Tags{{"line", "3"}}));
  EXPECT_EQ(made.evidence, EvidenceClass::software);
  EXPECT_EQ(made.revision, 1);
  EXPECT_EQ(made.created_at, made.updated_at);

  const auto entries = core::audit_of(p.t.store(), id.text());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].actor, "system");
  EXPECT_EQ(entries[0].before, "");
  EXPECT_THAT(entries[0].after, HasSubstr("\"name\":\"pump 7\""));
  const auto notices = core::notices_after(p.t.store(), before);
  ASSERT_EQ(core::names_of(notices), (std::vector<std::string>{"device.created"}));
  EXPECT_EQ(notices[0].site, site);
  EXPECT_EQ(notices[0].payload.at("type_id"), wire::Json(type.text()));
}

TEST(Registry, ANameThatCannotBeIsMadeOneThatCan) {
  Plant p;
  EXPECT_EQ(p.get(p.device("a\nb\x7F")).name, "ab");
  const std::string long_name = std::string(127, 'x') + "\xC3\xA4";
  EXPECT_EQ(p.get(p.device(long_name)).name, std::string(127, 'x')) << "no half character";
  EXPECT_THAT(p.get(p.device("")).name, ::testing::StartsWith("device-"));
}

TEST(Registry, ASiteThatIsNotThereMakesNoDevice) {
  Plant p;
  NewDevice wanted;
  wanted.site = SiteId{};
  EXPECT_FALSE(p.try_device(wanted));
  EXPECT_EQ(core::count_rows(p.t.store(), "device"), 0);
}

TEST(Registry, BeyondTheLimitNoMoreAreMade) {
  Plant p;
  p.registry->set_devices_max(2);
  const DeviceId first = p.device("one");
  p.device("two");
  EXPECT_EQ(p.try_device({}).error().code, Code::quota_exceeded);
  ASSERT_TRUE(p.t.store().change(core::Caller::system(), "test.end", [&](core::Change& change) {
    return p.registry->set_state(change, first, State::decommissioned, "");
  }));
  EXPECT_TRUE(p.try_device({})) << "what is gone does not count";
}

TEST(Registry, APatchTellsWhatChanged) {
  Plant p;
  const SiteId here = p.site("here");
  const SiteId there = p.site("there");
  const TypeId type = p.type("pump");
  const DeviceId id = p.device("pump", here, {{"old", "1"}});
  const Device before = p.get(id);
  const std::int64_t mark = core::last_notice(p.t.store());
  p.settle(seconds(1));
  Patch patch;
  patch.name = "pump 8";
  patch.site = there;
  patch.type = type;
  patch.tags = Tags{{"line", "3"}};
  const auto after = p.registry->patch(core::test_caller(), id, patch, any_revision());
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_EQ(after->name, "pump 8");
  EXPECT_EQ(after->site_name, "there") << "names of the new places are answered at once";
  EXPECT_EQ(after->tags, *patch.tags);
  EXPECT_EQ(after->revision, before.revision + 1);
  EXPECT_GT(after->updated_at, before.updated_at);

  const auto notices = core::notices_after(p.t.store(), mark);
  ASSERT_EQ(core::names_of(notices), (std::vector<std::string>{"device.changed"}));
  EXPECT_EQ(wire::json_text(notices[0].payload.at("members")),
            R"(["name","site_id","type_id","tags"])");
  EXPECT_EQ(notices[0].payload.at("old_site_id"), wire::Json(here.text()));
  EXPECT_EQ(notices[0].payload.at("revision"), wire::Json(after->revision));
  EXPECT_EQ(notices[0].site, there);
  const auto entry = core::audit_of(p.t.store(), id.text()).back();
  EXPECT_EQ(entry.action, "update_device");
  EXPECT_EQ(entry.actor, core::test_caller().id);
  EXPECT_EQ(entry.request_id, "req_TEST");
  EXPECT_THAT(entry.before, HasSubstr("\"old\":\"1\""));
  EXPECT_THAT(entry.after, HasSubstr("\"line\":\"3\""));
}

TEST(Registry, AMemberIsTakenAwayByNull) {
  Plant p;
  const DeviceId id = p.device("pump", p.site("here"));
  Patch patch;
  patch.site = std::optional<SiteId>();
  const auto after = p.registry->patch(core::test_caller(), id, patch, any_revision());
  ASSERT_TRUE(after);
  EXPECT_FALSE(after->site);
  EXPECT_EQ(after->site_name, "");
}

TEST(Registry, ARefusedPatchChangesNothing) {
  Plant p;
  const DeviceId id = p.device("pump", {}, {{"a", "1"}});
  const Device before = p.get(id);
  const std::int64_t mark = core::last_notice(p.t.store());
  const auto refused = [&](Patch patch, std::string_view pointer) {
    patch.tags = patch.tags ? patch.tags : Tags{{"b", "2"}};
    const auto result = p.registry->patch(core::test_caller(), id, patch, any_revision());
    EXPECT_EQ(code_of(result), Code::invalid_argument);
    if (!result) {
      EXPECT_EQ(result.error().pointer, pointer);
    }
  };
  Patch name;
  name.name = "";
  refused(name, "/name");
  Patch site;
  site.site = SiteId{};
  refused(site, "/site_id");
  Patch type;
  type.type = TypeId{};
  refused(type, "/type_id");
  Patch both;
  both.site = p.site("fine");
  both.type = TypeId{};
  refused(both, "/type_id");
  Patch tags;
  tags.tags = Tags{{"no spaces", ""}};
  refused(tags, "/tags/no spaces");
  Patch stale;
  stale.name = "x";
  const auto result = p.registry->patch(core::test_caller(), id, stale, [](std::int64_t) -> Status {
    return fail(Code::precondition_failed, "another");
  });
  EXPECT_EQ(code_of(result), Code::precondition_failed);

  const Device after = p.get(id);
  EXPECT_EQ(after.revision, before.revision);
  EXPECT_EQ(after.tags, before.tags);
  EXPECT_EQ(core::audit_of(p.t.store(), id.text()).size(), 2U) << "made and enrolled, no more";
  EXPECT_THAT(core::names_of(core::notices_after(p.t.store(), mark)), ElementsAre("site.created"));
}

TEST(Registry, TagsOneByOne) {
  Plant p;
  const DeviceId id = p.device("pump");
  const auto caller = someone(Role::technician);
  ASSERT_TRUE(p.registry->set_tag(caller, id, "line", "3"));
  const auto again = p.registry->set_tag(caller, id, "line", "4");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->tags, (Tags{{"line", "4"}}));
  ASSERT_TRUE(p.registry->set_tag(caller, id, "empty", ""));
  const auto without = p.registry->set_tag(caller, id, "line", std::nullopt);
  ASSERT_TRUE(without);
  EXPECT_EQ(without->tags, (Tags{{"empty", ""}}));
  EXPECT_EQ(code_of(p.registry->set_tag(caller, id, "line", std::nullopt)), Code::not_found);
  EXPECT_EQ(code_of(p.registry->set_tag(caller, id, "-x", "1")), Code::invalid_argument);
  EXPECT_EQ(core::audit_of(p.t.store(), id.text()).back().action, "delete_device_tag");
  for (std::size_t i = p.get(id).tags.size(); i < kTagsMax; ++i) {
    ASSERT_TRUE(p.registry->set_tag(caller, id, "t" + std::to_string(i), ""));
  }
  EXPECT_EQ(code_of(p.registry->set_tag(caller, id, "one-more", "")), Code::invalid_argument);
  EXPECT_EQ(p.get(id).tags.size(), kTagsMax);
}

// ---- states

TEST(Registry, QuarantineAndRelease) {
  Plant p;
  const SiteId site = p.site("here");
  const DeviceId id = p.device("pump", site);
  const std::int64_t mark = core::last_notice(p.t.store());
  const auto held = p.registry->quarantine(core::test_caller(), id, "it scans the network");
  ASSERT_TRUE(held) << held.error().text();
  EXPECT_EQ(held->state, State::quarantined);
  ASSERT_TRUE(held->quarantine);
  EXPECT_EQ(held->quarantine->reason, "it scans the network");
  EXPECT_EQ(held->quarantine->by, core::test_caller().id);
  const WallTime since = held->quarantine->since;
  p.settle(seconds(5));
  const auto again = p.registry->quarantine(core::test_caller(), id, "and talks");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->quarantine->since, since) << "since the first time";
  EXPECT_EQ(again->quarantine->reason, "and talks");
  const auto released = p.registry->release(core::test_caller(), id, "");
  ASSERT_TRUE(released);
  EXPECT_EQ(released->state, State::enrolled) << "it never connected";
  EXPECT_FALSE(released->quarantine);
  EXPECT_EQ(code_of(p.registry->release(core::test_caller(), id, "")), Code::conflict);

  const auto notices = core::notices_after(p.t.store(), mark);
  EXPECT_THAT(core::names_of(notices),
              ElementsAre("device.state_changed", "device.quarantined", "device.quarantined",
                          "device.state_changed", "device.released"));
  for (const auto& notice : notices) EXPECT_EQ(notice.site, site) << notice.name;
  EXPECT_EQ(notices[0].payload.at("old_state"), wire::Json("enrolled"));
  EXPECT_EQ(notices[0].payload.at("new_state"), wire::Json("quarantined"));
  std::vector<std::string> actions;
  for (const auto& entry : core::audit_of(p.t.store(), id.text())) actions.push_back(entry.action);
  EXPECT_THAT(actions, ElementsAre("test.enrol", "test.enrol", "quarantine_device",
                                   "quarantine_device", "release_device"));
}

TEST(Registry, AReleasedDeviceThatHadConnectedIsActive) {
  Plant p;
  const DeviceId id = p.device("pump");
  p.registry->connected(id, "mqtt-5.0", "192.0.2.7:5", p.now());
  p.settle();
  ASSERT_EQ(p.get(id).state, State::active);
  ASSERT_TRUE(p.registry->quarantine(core::test_caller(), id, "x"));
  EXPECT_EQ(p.registry->release(core::test_caller(), id, "fine")->state, State::active);
}

TEST(Registry, RevokedIsQuarantinedAndStays) {
  Plant p;
  const DeviceId id = p.device("pump");
  const std::int64_t mark = core::last_notice(p.t.store());
  const auto revoked = p.registry->revoke(core::test_caller(), id, "stolen");
  ASSERT_TRUE(revoked);
  EXPECT_TRUE(revoked->revoked);
  EXPECT_EQ(revoked->state, State::quarantined);
  EXPECT_EQ(revoked->quarantine->reason, "stolen");
  EXPECT_THAT(core::names_of(core::notices_after(p.t.store(), mark)),
              ElementsAre("device.state_changed", "device.revoked"));
  EXPECT_EQ(code_of(p.registry->release(core::test_caller(), id, "")), Code::conflict)
      << "its certificates are void";
  EXPECT_TRUE(p.registry->revoke(core::test_caller(), id, "found, still revoked"));
  EXPECT_EQ(code_of(p.registry->revoke(core::test_caller(), id, "")), Code::invalid_argument);
  EXPECT_EQ(code_of(p.registry->quarantine(core::test_caller(), id, std::string(501, 'x'))),
            Code::invalid_argument);

  Certificate certificate{"01AB", p.now(), p.now() + days(90), {}, "ff", "P-256"};
  ASSERT_TRUE(p.t.store().record(core::Caller::system(), "test.issue", [&](core::Change& change) {
    return p.registry->set_certificate(change, id, certificate);
  }));
  EXPECT_FALSE(p.get(id).revoked) << "a new certificate ends it";
  EXPECT_EQ(p.get(id).certificate->serial, "01AB");
}

TEST(Registry, AStateThatMayNotFollowIsRefused) {
  Plant p;
  const DeviceId id = p.device("pump");
  const auto move = [&](State to) {
    return p.t.store().change(core::Caller::system(), "test.move", [&](core::Change& change) {
      return p.registry->set_state(change, id, to, "");
    });
  };
  ASSERT_TRUE(move(State::decommissioned));
  EXPECT_EQ(move(State::active).error().code, Code::conflict);
  EXPECT_EQ(code_of(p.registry->quarantine(core::test_caller(), id, "x")), Code::conflict);
  EXPECT_EQ(code_of(p.registry->revoke(core::test_caller(), id, "x")), Code::conflict);
  EXPECT_EQ(p.get(id).state, State::decommissioned);
}

// ---- who may

TEST(Registry, EachRoleDoesWhatTheContractSaysAtItsSitesOnly) {
  Plant p;
  const SiteId mine = p.site("mine");
  const SiteId other = p.site("other");
  struct Row {
    Role role;
    bool write, quarantine;
  };
  for (const Row& row : {Row{Role::viewer, false, false}, Row{Role::technician, true, false},
                         Row{Role::operator_, true, true}, Row{Role::auditor, false, false},
                         Row{Role::administrator, true, true}}) {
    const auto caller = someone(row.role, std::vector{mine});
    const DeviceId here = p.device("here", mine);
    const DeviceId there = p.device("there", other);
    const DeviceId nowhere = p.device("nowhere");
    const auto name = core::name_of(row.role);
    EXPECT_TRUE(p.registry->get(caller, "device.read", here)) << name;
    EXPECT_EQ(p.registry->set_tag(caller, here, "a", "1").has_value(), row.write) << name;
    EXPECT_EQ(p.registry->quarantine(caller, here, "x").has_value(), row.quarantine) << name;
    EXPECT_EQ(p.registry->release(caller, here, "").has_value(), row.quarantine) << name;
    EXPECT_EQ(p.registry->revoke(caller, here, "x").has_value(), row.quarantine) << name;
    // Elsewhere, without a site, and not there at all: one answer.
    for (const DeviceId& id : {there, nowhere, DeviceId{}}) {
      EXPECT_EQ(code_of(p.registry->get(caller, "device.read", id)), Code::forbidden) << name;
      EXPECT_EQ(code_of(p.registry->set_tag(caller, id, "a", "1")), Code::forbidden) << name;
      EXPECT_EQ(code_of(p.registry->quarantine(caller, id, "x")), Code::forbidden) << name;
      EXPECT_EQ(code_of(p.registry->release(caller, id, "")), Code::forbidden) << name;
      EXPECT_EQ(code_of(p.registry->revoke(caller, id, "x")), Code::forbidden) << name;
    }
    EXPECT_EQ(p.get(there).tags, Tags{}) << name;
  }
  const auto all = core::test_caller();
  EXPECT_EQ(code_of(p.registry->get(all, "device.read", DeviceId{})), Code::not_found);
}

TEST(Registry, MovingTakesThePermissionAtBothEnds) {
  Plant p;
  const SiteId mine = p.site("mine");
  const SiteId other = p.site("other");
  const auto caller = someone(Role::operator_, std::vector{mine});
  const DeviceId id = p.device("pump", mine);
  for (const std::optional<SiteId>& to :
       {std::optional(other), std::optional<SiteId>(), std::optional(SiteId{})}) {
    Patch patch;
    patch.site = to;
    EXPECT_EQ(code_of(p.registry->patch(caller, id, patch, any_revision())), Code::forbidden);
  }
  EXPECT_EQ(p.get(id).site, mine);
  Patch home;
  home.site = mine;
  EXPECT_EQ(code_of(p.registry->patch(caller, p.device("x", other), home, any_revision())),
            Code::forbidden);
}

// ---- what devices say

TEST(Registry, TheFirstConnectionIsToldOnce) {
  Plant p;
  const DeviceId id = p.device("pump");
  const std::int64_t mark = core::last_notice(p.t.store());
  p.registry->connected(id, "mqtt-5.0", "192.0.2.7:5", p.now());
  p.settle();
  p.registry->disconnected(id, {"client", ""}, p.now());
  p.registry->connected(id, "mqtt-5.0", "192.0.2.7:6", p.now());
  p.registry->https_seen(id, "192.0.2.7:7", p.now());
  p.settle();
  const auto notices = core::notices_after(p.t.store(), mark);
  ASSERT_THAT(core::names_of(notices),
              ElementsAre("device.state_changed", "device.first_connected"));
  EXPECT_EQ(notices[1].payload.at("address"), wire::Json("192.0.2.7:5"));
  EXPECT_EQ(notices[1].payload.at("protocol"), wire::Json("mqtt-5.0"));
  EXPECT_EQ(core::audit_of(p.t.store(), id.text()).back().actor, id.text());
}

TEST(Registry, EnrolledAnewItBecomesActiveAnew) {
  Plant p;
  const DeviceId id = p.device("pump");
  p.registry->connected(id, "mqtt-5.0", "a", p.now());
  p.settle();
  ASSERT_TRUE(p.t.store().change(core::Caller::system(), "test.enrol", [&](core::Change& change) {
    return p.registry->set_state(change, id, State::enrolled, "");
  }));
  p.registry->connected(id, "mqtt-5.0", "a", p.now());
  p.settle();
  EXPECT_EQ(p.get(id).state, State::active);

  const DeviceId held = p.device("held before it ever came");
  ASSERT_TRUE(p.registry->quarantine(core::test_caller(), held, "x"));
  ASSERT_TRUE(p.registry->release(core::test_caller(), held, ""));
  p.registry->connected(held, "mqtt-5.0", "a", p.now());
  p.settle();
  EXPECT_EQ(p.get(held).state, State::active);
}

TEST(Registry, AFirstConnectionThatCouldNotBeWrittenIsTriedAgain) {
  Plant p;
  const DeviceId id = p.device("pump");
  auto& disk = p.t.node.disk();
  for (std::uint64_t i = 1; i < 40; ++i) disk.fail_at(disk.operations() + i);
  p.registry->connected(id, "mqtt-5.0", "a", p.now());
  p.settle();
  disk.plan_no_faults();
  ASSERT_EQ(p.get(id).state, State::enrolled);
  p.registry->https_seen(id, "a", p.now());
  p.settle();
  EXPECT_EQ(p.get(id).state, State::active);
}

TEST(Registry, HelloAndInventoryAreKeptAndToldWhenTheyChange) {
  Plant p;
  const DeviceId id = p.device("pump");
  const std::int64_t mark = core::last_notice(p.t.store());
  const wire::Json hello = wire::JsonObject{
      {"version", "1.4.0"}, {"protocol", 1}, {"capabilities", wire::JsonArray{"twin"}}};
  ASSERT_TRUE(p.registry->hello(id, hello));
  ASSERT_TRUE(p.registry->hello(id, hello));
  const wire::Json inventory = wire::JsonObject{
      {"os", wire::JsonObject{{"name", "Debian"}}},
      {"components", wire::JsonArray{wire::JsonObject{{"name", "app"}, {"version", "2"}},
                                     wire::JsonObject{{"name", "no version"}}}}};
  ASSERT_TRUE(p.registry->inventory(id, inventory));
  ASSERT_TRUE(p.registry->inventory(id, inventory));
  const auto notices = core::notices_after(p.t.store(), mark);
  ASSERT_THAT(core::names_of(notices),
              ElementsAre("device.hello_changed", "device.inventory_changed"));
  EXPECT_EQ(notices[0].payload.at("agent_version"), wire::Json("1.4.0"));
  EXPECT_EQ(wire::json_text(notices[1].payload.at("members")), R"(["os","components"])");
  EXPECT_EQ(notices[1].payload.at("revision"), wire::Json(p.get(id).revision));

  p.crash();
  const Device after = p.get(id);
  EXPECT_EQ(after.hello, hello) << "durable when it was acknowledged";
  const wire::Json shown = p.registry->json(after);
  EXPECT_EQ(shown.at_pointer("/agent/version"), wire::Json("1.4.0"));
  EXPECT_EQ(shown.at_pointer("/os/name"), wire::Json("Debian"));
  EXPECT_EQ(shown.at("components").as_array().size(), 1U) << "only what the contract can show";
  EXPECT_EQ(shown.at_pointer("/components/0/digest"), wire::Json(nullptr));
}

TEST(Registry, WhatIsNoHelloIsRefusedAsAPayload) {
  Plant p;
  const DeviceId id = p.device("pump");
  for (const wire::Json& hello :
       {wire::Json(nullptr), wire::Json(wire::JsonObject{{"protocol", 1}}),
        wire::Json(wire::JsonObject{{"version", 1}, {"protocol", 1}}),
        wire::Json(wire::JsonObject{{"version", "1"}, {"protocol", 0}})}) {
    const Status refused = p.registry->hello(id, hello);
    ASSERT_FALSE(refused) << wire::json_text(hello);
    EXPECT_EQ(refused.error().code, Code::payload_malformed);
  }
  EXPECT_EQ(p.registry->inventory(id, wire::JsonArray{}).error().code, Code::payload_malformed);
  EXPECT_EQ(p.registry->inventory(DeviceId{}, wire::JsonObject{}).error().code,
            Code::device_unknown);
}

TEST(Registry, ReportedDocumentsAreSealedOnDisk) {
  Plant p;
  const DeviceId id = p.device("pump");
  ASSERT_TRUE(p.registry->inventory(id, wire::JsonObject{{"serial", "SECRET-SERIAL-77"}}));
  const os::System system = p.t.system();
  for (const char* file : {"/data/holdfast.db", "/data/holdfast.db-wal"}) {
    const auto bytes = os::read_file(system.files, file, 100'000'000);
    if (!bytes) continue;
    EXPECT_EQ(text_of(*bytes).find("SECRET-SERIAL-77"), std::string_view::npos) << file;
  }
}

// ---- presence on disk

TEST(Registry, PresenceSurvivesACrashAndSessionsDoNot) {
  Plant p;
  const DeviceId online = p.device("online");
  const DeviceId gone = p.device("gone");
  const WallTime start = p.now();
  p.registry->connected(online, "mqtt-5.0", "192.0.2.7:5", start);
  p.registry->connected(gone, "mqtt-3.1.1", "192.0.2.8:5", start);
  p.registry->disconnected(gone, {"keep-alive-timeout", ""}, start + seconds(1));
  p.settle(kPresenceFlush + seconds(1));
  p.crash();
  const Presence after = p.registry->presence(online);
  EXPECT_EQ(after.sessions, 0);
  EXPECT_EQ(after.last_disconnect_reason, "server-shutting-down");
  EXPECT_EQ(after.address, "192.0.2.7:5");
  EXPECT_EQ(p.registry->presence(gone).last_disconnect_reason, "keep-alive-timeout");
  EXPECT_EQ(p.registry->presence(gone).since, start + seconds(1));
  p.crash();
  EXPECT_EQ(p.registry->presence(online).since, after.since) << "closed once";
}

TEST(Registry, AFlushThatFailsIsDoneLater) {
  Plant p;
  const DeviceId id = p.device("pump");
  p.registry->connected(id, "mqtt-5.0", "a", p.now());
  auto& disk = p.t.node.disk();
  for (std::uint64_t i = 1; i < 40; ++i) disk.fail_at(disk.operations() + i);
  EXPECT_FALSE(p.registry->flush());
  disk.plan_no_faults();
  EXPECT_THAT(p.t.log_lines, HasSubstr("presence could not be written"));
  EXPECT_TRUE(p.registry->flush());
  p.crash();
  EXPECT_EQ(p.registry->presence(id).protocol, "mqtt-5.0");
}

TEST(Registry, AnHttpsDeviceThatFallsSilentIsToldToBeOffline) {
  Plant p;
  const DeviceId id = p.device("pump");
  std::vector<bool> told;
  p.registry->on_presence([&](DeviceId, bool online) { told.push_back(online); });
  p.registry->https_seen(id, "a", p.now());
  p.settle(seconds(100));
  EXPECT_THAT(told, ElementsAre(true));
  p.settle(seconds(40));
  EXPECT_THAT(told, ElementsAre(true, false));
  p.settle(seconds(200));
  EXPECT_THAT(told, ElementsAre(true, false)) << "once";
  EXPECT_EQ(p.registry->json(p.get(id)).at_pointer("/presence/online"), wire::Json(false));
}

// At every disk operation of a change: it is whole, with entry and notice, or not there.
TEST(Registry, APowerCutLeavesAChangeWholeOrUndone) {
  int undone = 0;
  int whole = 0;
  for (std::uint64_t cut = 1; cut < 200; ++cut) {
    Plant p(cut);
    const DeviceId id = p.device("pump");
    const std::int64_t mark = core::last_notice(p.t.store());
    auto& disk = p.t.node.disk();
    disk.crash_at(disk.operations() + cut);
    Patch patch;
    patch.name = "renamed";
    patch.tags = Tags{{"line", "3"}};
    const auto answered = p.registry->patch(core::test_caller(), id, patch, any_revision());
    const bool cut_in = !p.t.node.up();
    if (!cut_in) {
      EXPECT_TRUE(answered);
      break;
    }
    p.crash();
    const Device after = p.get(id);
    const bool done = after.name == "renamed";
    EXPECT_EQ(after.tags.size(), done ? 1U : 0U) << cut;
    EXPECT_EQ(core::notices_after(p.t.store(), mark).size(), done ? 1U : 0U) << cut;
    EXPECT_EQ(core::audit_of(p.t.store(), id.text()).size(), done ? 3U : 2U) << cut;
    if (answered) {
      EXPECT_TRUE(done) << "acknowledged, so durable: " << cut;
    }
    ++(done ? whole : undone);
  }
  EXPECT_GT(undone, 0);
}

}  // namespace
}  // namespace holdfast::devices
