#include "server/devices/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/devices/fixture_test.hpp"

namespace holdfast::devices {
namespace {

using core::Asking;
using core::Role;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using wire::JsonArray;
using wire::JsonObject;

// Sites and types alike.
struct Kind {
  const char *one, *param, *create, *list, *get, *update, *remove, *noun;
};
constexpr Kind kKinds[]{{"sites", "site_id", "create_site", "list_sites", "get_site", "update_site",
                         "delete_site", "site"},
                        {"types", "type_id", "create_type", "list_types", "get_type", "update_type",
                         "delete_type", "type"}};

class PlacesTest : public ::testing::TestWithParam<Kind> {
 protected:
  core::Answer create(const std::string& name) {
    return p.ask(GetParam().create,
                 {.body = JsonObject{{"name", name}, {"description", "about " + name}}});
  }
  Asking of(const std::string& id, wire::Json body = {}, std::string if_match = {}) {
    return {{{GetParam().param, id}}, {}, std::move(body), std::move(if_match)};
  }
  Plant p;
};
INSTANTIATE_TEST_SUITE_P(Kinds, PlacesTest, ::testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(kind.param.one); });

TEST_P(PlacesTest, LiveFromTheFirstToTheLastDay) {
  const Kind& kind = GetParam();
  const auto made = create("Hall");
  ASSERT_EQ(made.status, 201);
  const std::string id = made.text("/id");
  EXPECT_EQ(made.etag(), "\"1\"");
  EXPECT_EQ(made.headers.get("Location"), "/v1/" + std::string(kind.one) + "/" + id);
  EXPECT_EQ(made.text("/description"), "about Hall");
  p.settle(seconds(1));

  const auto changed = p.ask(kind.update, of(id, JsonObject{{"name", "Hall 2"}}, "\"1\""));
  ASSERT_EQ(changed.status, 200) << changed.error->text();
  EXPECT_EQ(changed.etag(), "\"2\"");
  EXPECT_EQ(changed.text("/description"), "about Hall") << "what is not named stays";
  EXPECT_NE(changed.text("/updated_at"), changed.text("/created_at"));
  const auto got = p.ask(kind.get, of(id));
  EXPECT_EQ(got.etag(), "\"2\"");
  EXPECT_EQ(got.body, changed.body);

  ASSERT_EQ(p.ask(kind.remove, of(id, {}, "*")).status, 204);
  EXPECT_EQ(p.ask(kind.get, of(id)).code(), Code::not_found);
  const std::string noun(kind.noun);
  EXPECT_THAT(core::names_of(core::notices_after(p.t.store())),
              ElementsAre(noun + ".created", noun + ".changed", noun + ".deleted"));
  const auto entries = core::audit_of(p.t.store(), id);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].before, "");
  EXPECT_THAT(entries[1].before, HasSubstr("\"Hall\""));
  EXPECT_THAT(entries[1].after, HasSubstr("\"Hall 2\""));
  EXPECT_EQ(entries[2].action, kind.remove);
  EXPECT_EQ(entries[2].after, "");
}

TEST_P(PlacesTest, AnOldRevisionIsRefused) {
  const Kind& kind = GetParam();
  const std::string id = create("Hall").text("/id");
  const JsonObject body{{"name", "x"}};
  EXPECT_EQ(p.ask(kind.update, of(id, body)).code(), Code::precondition_required);
  EXPECT_EQ(p.ask(kind.update, of(id, body, "\"2\"")).code(), Code::precondition_failed);
  EXPECT_EQ(p.ask(kind.update, of(id, body, "W/\"1\"")).code(), Code::precondition_failed);
  EXPECT_EQ(p.ask(kind.remove, of(id)).code(), Code::precondition_required);
  EXPECT_EQ(p.ask(kind.remove, of(id, {}, "\"7\"")).code(), Code::precondition_failed);
  EXPECT_EQ(p.ask(kind.get, of(id)).text("/name"), "Hall");
}

TEST_P(PlacesTest, WhatIsInUseStays) {
  const Kind& kind = GetParam();
  const std::string id = create("Hall").text("/id");
  NewDevice wanted;
  if (std::string_view(kind.noun) == "site") {
    wanted.site = SiteId::parse(id).value();
  } else {
    wanted.type = TypeId::parse(id).value();
  }
  const DeviceId device = p.try_device(wanted).value();
  EXPECT_EQ(p.ask(kind.get, of(id)).at("/device_count"), wire::Json(1));
  const auto refused = p.ask(kind.remove, of(id, {}, "*"));
  EXPECT_EQ(refused.code(), Code::conflict);
  EXPECT_THAT(refused.error->message, HasSubstr("1 device"));
  Patch away;
  away.site = std::optional<SiteId>();
  away.type = std::optional<TypeId>();
  ASSERT_TRUE(p.registry->patch(core::test_caller(), device, away, any_revision()));
  EXPECT_EQ(p.ask(kind.remove, of(id, {}, "*")).status, 204);
}

TEST_P(PlacesTest, BadBodiesAreRefusedByName) {
  const Kind& kind = GetParam();
  const std::string id = create("Hall").text("/id");
  const auto refused = [&](JsonObject body, std::string_view pointer) {
    const auto made = p.ask(kind.create, {.body = body});
    EXPECT_EQ(made.code(), Code::invalid_argument) << wire::json_text(body);
    EXPECT_EQ(made.pointer(), pointer) << wire::json_text(body);
  };
  refused({{"description", "no name"}}, "/name");
  refused({{"name", ""}}, "/name");
  refused({{"name", 7}}, "/name");
  refused({{"name", "a\nb"}}, "/name");
  refused({{"name", std::string(129, 'x')}}, "/name");
  refused({{"name", "x"}, {"description", std::string(1001, 'x')}}, "/description");
  EXPECT_EQ(p.ask(kind.create, {.body = JsonObject{{"name", "x"}, {"colour", "red"}}}).code(),
            Code::unknown_field);
  EXPECT_EQ(p.ask(kind.create, {.body = JsonArray{}}).code(), Code::invalid_argument);
  EXPECT_EQ(p.ask(kind.update, of(id, JsonObject{}, "*")).code(), Code::invalid_argument);
  EXPECT_EQ(p.ask(kind.get, of("nonsense")).code(), Code::not_found);
  EXPECT_EQ(p.ask(kind.update,
                  of(kind.noun == std::string_view("site") ? SiteId{}.text() : TypeId{}.text(),
                     JsonObject{{"name", "x"}}, "*"))
                .code(),
            Code::not_found);
}

TEST_P(PlacesTest, PagesGoThroughAllInOrder) {
  const Kind& kind = GetParam();
  std::vector<std::string> wanted;
  for (int i = 0; i < 7; ++i) {
    // Two of each name, so that the id decides within.
    wanted.push_back(create("Hall " + std::to_string(i / 2)).text("/id"));
  }
  create("100% annex");
  std::vector<std::string> got;
  std::string cursor;
  do {
    Asking asking{.query = {{"limit", "3"}, {"q", "hALL"}}};
    if (!cursor.empty()) asking.query.emplace_back("cursor", cursor);
    const auto page = p.ask(kind.list, asking);
    ASSERT_EQ(page.status, 200) << page.error->text();
    EXPECT_EQ(page.at("/total_estimate"), wire::Json(7));
    for (const auto& item : page.at("/items").as_array())
      got.emplace_back(item.at("id").as_string());
    const auto& next = page.at("/next_cursor");
    cursor = next.is_null() ? "" : std::string(next.as_string());
  } while (!cursor.empty() && got.size() < 10);
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(p.ask(kind.list, {.query = {{"q", "0% A"}}}).at("/items").as_array().size(), 1U);
  EXPECT_EQ(p.ask(kind.list, {.query = {{"q", "_"}}}).at("/items").as_array().size(), 0U)
      << "no wildcard";
  EXPECT_EQ(p.ask(kind.list, {.query = {{"cursor", "!"}}}).code(), Code::invalid_argument);
  EXPECT_EQ(p.ask(kind.list, {.query = {{"cursor", core::make_cursor("name")}}}).code(),
            Code::invalid_argument);
}

TEST(Places, PeopleSeeTheirSitesOnly) {
  Plant p;
  const SiteId mine = p.site("mine");
  const SiteId other = p.site("other");
  const auto caller = someone(Role::operator_, std::vector{mine});
  const auto listed = p.ask("list_sites", {}, caller);
  ASSERT_EQ(listed.at("/items").as_array().size(), 1U);
  EXPECT_EQ(listed.text("/items/0/id"), mine.text());
  EXPECT_EQ(listed.at("/total_estimate"), wire::Json(1)) << "nor how many others there are";
  const Asking there{.path = {{"site_id", other.text()}}};
  const Asking nowhere{.path = {{"site_id", SiteId{}.text()}}};
  EXPECT_EQ(p.ask("get_site", there, caller).code(), Code::forbidden);
  EXPECT_EQ(p.ask("get_site", nowhere, caller).code(), Code::forbidden) << "both alike";
  Asking change{{{"site_id", mine.text()}}, {}, JsonObject{{"name", "x"}}, "*"};
  EXPECT_EQ(p.ask("update_site", change, caller).code(), Code::forbidden)
      << "sites are an administrator's";
  EXPECT_EQ(p.ask("delete_site", change, caller).code(), Code::forbidden);
}

// ---- types

TEST(Types, SayWhatTheirStreamsMean) {
  Plant p;
  const JsonArray streams{JsonObject{{"stream", "lab"},
                                     {"field", "temp"},
                                     {"unit", "Cel"},
                                     {"data_class", JsonObject{{"personal", false}}}}};
  const auto made =
      p.ask("create_type", {.body = JsonObject{{"name", "pump"}, {"streams", streams}}});
  ASSERT_EQ(made.status, 201) << made.error->text();
  EXPECT_EQ(made.at("/streams"), wire::Json(streams));
  const Asking change{{{"type_id", made.text("/id")}},
                      {},
                      JsonObject{{"streams", JsonArray{}}, {"description", "d"}},
                      "*"};
  const auto changed = p.ask("update_type", change);
  ASSERT_EQ(changed.status, 200);
  EXPECT_TRUE(changed.at("/streams").as_array().empty());
  const auto notices = core::notices_after(p.t.store());
  EXPECT_EQ(wire::json_text(notices.back().payload.at("members")), R"(["streams","description"])");
}

TEST(Types, RefuseStreamsThatMeanNothing) {
  const auto refused = [](const wire::Json& streams, std::string_view pointer) {
    const Status status = check_streams(streams);
    ASSERT_FALSE(status) << wire::json_text(streams);
    EXPECT_EQ(status.error().pointer, pointer) << wire::json_text(streams);
  };
  const JsonObject good{{"stream", "lab"}, {"field", "temp"}};
  EXPECT_TRUE(check_streams(JsonArray{good}));
  refused(JsonObject{}, "/streams");
  refused(JsonArray{good, 7}, "/streams/1");
  refused(JsonArray{JsonObject{{"stream", "lab"}}}, "/streams/0/field");
  refused(JsonArray{JsonObject{{"stream", ""}, {"field", "x"}}}, "/streams/0/stream");
  refused(JsonArray{JsonObject{{"stream", std::string(129, 'x')}, {"field", "x"}}},
          "/streams/0/stream");
  JsonObject with = good;
  with["unit"] = 7;
  refused(JsonArray{with}, "/streams/0/unit");
  with = good;
  with["data_class"] = JsonObject{{"personal", "no"}};
  refused(JsonArray{with}, "/streams/0/data_class/personal");
  with = good;
  with["Unit"] = "Cel";
  EXPECT_EQ(check_streams(JsonArray{with}).error().code, Code::unknown_field);
  refused(JsonArray(kStreamsMax + 1, good), "/streams");
}

TEST(Types, TopicMappingsAreNotThereYet) {
  Plant p;
  const JsonObject mapping{{"a", "b"}};
  EXPECT_EQ(p.ask("create_type", {.body = JsonObject{{"name", "x"}, {"topic_mapping", mapping}}})
                .pointer(),
            "/topic_mapping");
  EXPECT_EQ(
      p.ask("create_type", {.body = JsonObject{{"name", "x"}, {"topic_mapping", JsonObject{}}}})
          .status,
      201);
}

TEST(Types, MayDemandEvidence) {
  Plant p;
  const auto made = p.ask(
      "create_type", {.body = JsonObject{{"name", "safe"}, {"evidence_required", "software"}}});
  ASSERT_EQ(made.status, 201) << made.error->text();
  const TypeId type = TypeId::parse(made.text("/id")).value();
  const DeviceId id = p.device("claimed only");
  Patch into;
  into.type = type;
  EXPECT_EQ(code_of(p.registry->patch(core::test_caller(), id, into, any_revision())),
            Code::evidence_insufficient);
  NewDevice wanted;
  wanted.type = type;
  wanted.evidence = EvidenceClass::hardware_attested;
  EXPECT_TRUE(p.try_device(wanted));
  wanted.evidence = EvidenceClass::claim;
  EXPECT_FALSE(p.try_device(wanted));
  const Asking anyone{
      {{"type_id", type.text()}}, {}, JsonObject{{"evidence_required", nullptr}}, "*"};
  EXPECT_EQ(p.ask("update_type", anyone).status, 200);
  EXPECT_TRUE(p.registry->patch(core::test_caller(), id, into, any_revision()));
}

}  // namespace
}  // namespace holdfast::devices
