// The list of devices and its facets against a naive model: filter, sort and count in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "server/devices/fixture_test.hpp"

namespace holdfast::devices {
namespace {

using core::Role;
using os::sim::Random;

struct Modelled {
  Device device;
  Presence presence;
};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

template <class T, class V>
bool one_of(const std::vector<T>& wanted, const V& value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

enum class Without { nothing, state, type, site, online, tag };

bool text_hits(const Modelled& one, const std::string& q) {
  const std::string wanted = lower(q);
  const auto holds = [&](const std::string& text) {
    return lower(text).find(wanted) != std::string::npos;
  };
  bool hit = holds(one.device.name) || holds(one.device.serial) || holds(one.presence.address);
  for (const auto& [key, value] : one.device.tags) hit = hit || holds(key) || holds(value);
  return hit;
}

bool shown(const Modelled& one, const ListQuery& query, const core::Sites& scope, WallTime now,
           Without without = Without::nothing) {
  const Device& device = one.device;
  if (scope && (!device.site || std::ranges::find(*scope, *device.site) == scope->end()))
    return false;
  if (!query.q.empty() && query.q != device.id.text() &&
      (DeviceId::parse(query.q) || !text_hits(one, query.q)))
    return false;
  if (without != Without::state && !one_of(query.states, device.state)) return false;
  if (without != Without::type && !one_of(query.types, device.type)) return false;
  if (without != Without::site && !one_of(query.sites, device.site)) return false;
  if (without != Without::online && query.online && *query.online != one.presence.online_at(now))
    return false;
  if (without == Without::tag) return true;
  return std::ranges::all_of(query.tags, [&](const auto& tag) {
    const auto at = device.tags.find(tag.first);
    return at != device.tags.end() && (!tag.second || *tag.second == at->second);
  });
}

using SortKey = std::pair<std::string, std::int64_t>;

SortKey key_of(const Modelled& one, std::string_view sort) {
  if (sort == "name") return {lower(one.device.name), 0};
  if (sort == "state") return {std::string(name_of(one.device.state)), 0};
  if (sort == "type_name") return {one.device.type_name, 0};
  if (sort == "site_name") return {one.device.site_name, 0};
  if (sort == "last_seen") return {"", one.presence.last_seen.value_or(WallTime{0}).us};
  return {"", one.device.created_at.us};
}

std::vector<DeviceId> expected(const std::vector<Modelled>& all, const ListQuery& query,
                               const core::Sites& scope, WallTime now) {
  const bool down = query.sort.starts_with('-');
  const std::string sort = query.sort.substr(down ? 1 : 0);
  std::vector<std::pair<SortKey, DeviceId>> rows;
  for (const Modelled& one : all) {
    if (shown(one, query, scope, now)) rows.emplace_back(key_of(one, sort), one.device.id);
  }
  std::ranges::sort(rows);
  if (down) std::ranges::reverse(rows);
  std::vector<DeviceId> out;
  for (const auto& row : rows) out.push_back(row.second);
  return out;
}

using Counts = std::map<std::string, std::int64_t>;

Counts counts_of(const std::vector<FacetValue>& facet) {
  Counts out;
  for (const FacetValue& value : facet) out[value.value.value_or("none")] += value.count;
  return out;
}

Counts expected_counts(const std::vector<Modelled>& all, const ListQuery& query,
                       const core::Sites& scope, WallTime now, Without without) {
  Counts out;
  for (const Modelled& one : all) {
    if (!shown(one, query, scope, now, without)) continue;
    const Device& device = one.device;
    switch (without) {
      case Without::state:
        ++out[std::string(name_of(device.state))];
        break;
      case Without::type:
        ++out[device.type ? device.type->text() : "none"];
        break;
      case Without::site:
        ++out[device.site ? device.site->text() : "none"];
        break;
      case Without::online:
        ++out[one.presence.online_at(now) ? "true" : "false"];
        break;
      default:
        for (const auto& [key, value] : device.tags) ++out[key + "=" + value];
    }
  }
  return out;
}

class Fleet {
 public:
  explicit Fleet(std::uint64_t seed) : plant(seed), random(seed, "fleet") {
    for (const char* name : {"Halle", "annex"}) sites.push_back(plant.site(name));
    for (const char* name : {"pump", "Valve"}) types.push_back(plant.type(name));
    for (int i = 0; i < 40; ++i) add(i);
    plant.settle();
    for (const DeviceId& id : ids) models.push_back({plant.get(id), plant.registry->presence(id)});
  }

  void add(int number) {
    static constexpr std::array kNames{"Pump", "pump", "PUMP 10%", "valve_2", "Ärger"};
    NewDevice wanted;
    // Names repeat, so that the id decides.
    wanted.name = kNames[random.below(kNames.size())];
    wanted.serial = random.chance(50) ? "E3-" + std::to_string(number) : "";
    if (random.chance(70)) wanted.site = sites[random.below(sites.size())];
    if (random.chance(70)) wanted.type = types[random.below(types.size())];
    if (random.chance(50)) wanted.tags["line"] = std::to_string(random.below(3));
    if (random.chance(30)) wanted.tags["spare"] = "";
    const DeviceId id = plant.try_device(wanted, random.chance(80)).value();
    ids.push_back(id);
    if (random.chance(50)) plant.settle(seconds(1));
    const WallTime now = plant.now();
    const std::string address = "192.0.2." + std::to_string(number);
    if (random.chance(40)) plant.registry->connected(id, "mqtt-5.0", address, now);
    if (random.chance(20)) plant.registry->disconnected(id, {"client", ""}, now);
    if (random.chance(20)) plant.registry->https_seen(id, address, now);
    if (random.chance(15)) {
      plant.settle();
      (void)plant.registry->quarantine(core::test_caller(), id, "x");
    }
  }

  ListQuery query() {
    static constexpr std::array kSorts{"name",      "state",     "type_name",
                                       "site_name", "last_seen", "created_at"};
    static constexpr std::array kTexts{"ump", "PU", "%", "_", "e3-1", "192.0.2.3", "LINE", "zzz"};
    ListQuery out;
    out.sort = (random.chance(50) ? "-" : "") + std::string(kSorts[random.below(kSorts.size())]);
    out.limit = 1 + random.below(12);
    if (random.chance(30)) out.q = kTexts[random.below(kTexts.size())];
    if (random.chance(5)) out.q = ids[random.below(ids.size())].text();
    if (random.chance(25)) out.states = {State::active, State::quarantined};
    if (random.chance(25)) out.types = {types[random.below(types.size())]};
    if (random.chance(25)) out.sites = {sites[random.below(sites.size())]};
    if (random.chance(25)) out.online = random.chance(50);
    if (random.chance(20)) out.tags.emplace_back("line", std::nullopt);
    if (random.chance(20)) out.tags.emplace_back("line", std::to_string(random.below(3)));
    if (random.chance(10)) out.tags.emplace_back("spare", "");
    return out;
  }

  Plant plant;
  Random random;
  std::vector<SiteId> sites;
  std::vector<TypeId> types;
  std::vector<DeviceId> ids;
  std::vector<Modelled> models;
};

void check_list(Fleet& fleet, ListQuery query, const core::Caller& caller) {
  const auto wanted = expected(fleet.models, query, caller.sites, fleet.plant.now());
  std::vector<DeviceId> got;
  do {
    const auto page = fleet.plant.registry->list(caller, query);
    ASSERT_TRUE(page) << page.error().text();
    EXPECT_EQ(page->total, static_cast<std::int64_t>(wanted.size()));
    EXPECT_LE(page->devices.size(), query.limit);
    EXPECT_TRUE(page->next.empty() || page->devices.size() == query.limit) << "no thin pages";
    for (const Device& device : page->devices) got.push_back(device.id);
    query.cursor = page->next;
  } while (!query.cursor.empty() && got.size() <= wanted.size());
  EXPECT_EQ(got, wanted) << "sort " << query.sort << ", q " << query.q;
}

void check_facets(Fleet& fleet, const ListQuery& query, const core::Caller& caller) {
  const auto facets = fleet.plant.registry->facets(caller, query);
  ASSERT_TRUE(facets) << facets.error().text();
  const auto wanted = [&](Without without) {
    return expected_counts(fleet.models, query, caller.sites, fleet.plant.now(), without);
  };
  EXPECT_EQ(counts_of(facets->state), wanted(Without::state));
  EXPECT_EQ(counts_of(facets->type), wanted(Without::type));
  EXPECT_EQ(counts_of(facets->site), wanted(Without::site));
  EXPECT_EQ(counts_of(facets->online), wanted(Without::online));
  EXPECT_EQ(counts_of(facets->tag), wanted(Without::tag));
}

TEST(DeviceList, AgreesWithANaiveModelUnderEveryFilterAndOrder) {
  for (const std::uint64_t seed : {11U, 12U, 13U}) {
    SCOPED_TRACE(seed);
    Fleet fleet(seed);
    for (int i = 0; i < 120 && !::testing::Test::HasFailure(); ++i) {
      const ListQuery query = fleet.query();
      core::Sites scope;
      if (fleet.random.chance(40)) scope = std::vector{fleet.sites[fleet.random.below(2)]};
      if (fleet.random.chance(5)) scope = std::vector<SiteId>{};
      const auto caller = core::test_caller({Role::viewer}, scope);
      check_list(fleet, query, caller);
      check_facets(fleet, query, caller);
    }
  }
}

TEST(DeviceList, OnlineIsTheSameForListFacetsAndDevice) {
  Plant p;
  const DeviceId id = p.device("by https");
  ListQuery online;
  online.online = true;
  const auto agree = [&](bool wanted) {
    EXPECT_EQ(p.registry->list(core::test_caller(), online)->devices.size(), wanted ? 1U : 0U);
    EXPECT_EQ(counts_of(p.registry->facets(core::test_caller(), ListQuery{})->online),
              (Counts{{wanted ? "true" : "false", 1}}));
    EXPECT_EQ(p.registry->json(p.get(id)).at_pointer("/presence/online"), wire::Json(wanted));
  };
  p.registry->https_seen(id, "a", p.now());
  p.settle(seconds(115));
  p.registry->https_seen(id, "a", p.now());
  agree(true);
  p.settle(seconds(6));
  p.registry->https_seen(id, "a", p.now());
  agree(true);
  p.settle(seconds(119));
  agree(true);
  p.settle(seconds(1));
  agree(false);
}

TEST(DeviceList, LastSeenIsAsYoungAsTheBookEvenWithAFilter) {
  Plant p;
  const DeviceId first = p.device("first");
  const DeviceId second = p.device("second");
  p.registry->connected(first, "mqtt-5.0", "a", p.now());
  p.registry->connected(second, "mqtt-5.0", "a", p.now() + seconds(1));
  ASSERT_TRUE(p.registry->flush());
  p.registry->seen(first, p.now() + seconds(2));
  ListQuery query;
  query.sort = "-last_seen";
  query.online = true;
  const auto page = p.registry->list(core::test_caller(), query);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->devices.size(), 2U);
  EXPECT_EQ(page->devices.front().id, first);
}

TEST(DeviceList, ADeviceThatIsRenamedBetweenPagesBreaksNothing) {
  Plant p;
  std::vector<DeviceId> ids;
  for (const char* name : {"a", "b", "c", "d"}) ids.push_back(p.device(name));
  ListQuery query;
  query.limit = 2;
  const auto first = p.registry->list(core::test_caller(), query);
  ASSERT_TRUE(first);
  // The one that the cursor stands on goes away to the end.
  Patch patch;
  patch.name = "z";
  ASSERT_TRUE(p.registry->patch(core::test_caller(), ids[1], patch, any_revision()));
  query.cursor = first->next;
  query.limit = 10;
  const auto second = p.registry->list(core::test_caller(), query);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->devices.size(), 3U);
  EXPECT_EQ(second->devices[0].id, ids[2]) << "it goes on where it stood";
}

TEST(DeviceList, ACursorOfAnotherListIsRefused) {
  Plant p;
  for (int i = 0; i < 3; ++i) p.device("d");
  ListQuery query;
  query.limit = 1;
  const std::string cursor = p.registry->list(core::test_caller(), query)->next;
  query.cursor = cursor;
  query.sort = "-name";
  EXPECT_EQ(p.registry->list(core::test_caller(), query).error().code, Code::invalid_argument);
  query.sort = "created_at";
  for (const std::string text :
       {"", "created_at", "created_at\n", "created_at\n12x\n", "created_at\n\n"}) {
    query.cursor = text + (text.ends_with('\n') ? DeviceId{}.text() : "");
    if (query.cursor.empty()) continue;
    const auto refused = p.registry->list(core::test_caller(), query);
    EXPECT_FALSE(refused) << text;
  }
  query.cursor.clear();
  query.sort = "shoe size";
  EXPECT_EQ(p.registry->list(core::test_caller(), query).error().code, Code::invalid_argument);
}

TEST(DeviceList, NobodySeesNothing) {
  Plant p;
  p.device("d");
  const auto listed = p.registry->list(core::Caller{}, ListQuery{});
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Code::unauthenticated);
  EXPECT_FALSE(p.registry->facets(core::Caller{}, ListQuery{}));
}

}  // namespace
}  // namespace holdfast::devices
