// SQL of the registry: tables, rows to values, and the list query. Reported documents (hello,
// inventory) are sealed; ids, names and states are readable (decision 8).
#pragma once

#include <string>
#include <vector>

#include "server/core/authz.hpp"
#include "server/core/change.hpp"
#include "server/core/migrate.hpp"
#include "server/devices/model.hpp"

namespace holdfast::devices {

std::vector<core::Migration> migrations();

// What the type demands, if anything; also when there is no such type (the foreign key tells that).
Result<std::optional<EvidenceClass>> evidence_demanded(sql::Tx& tx, TypeId type);

Result<std::optional<Device>> find_device(sql::Tx& tx, const seal::Sealer& sealer, DeviceId id);
Status insert_device(core::Change& change, const Device& device);
// Everything but tags and documents; counts the revision up and sets updated_at.
Status update_device(core::Change& change, Device& device);
Status replace_tags(sql::Tx& tx, DeviceId id, const Tags& tags);
enum class Document { hello, inventory };
Status store_document(core::Change& change, DeviceId id, Document which,
                      const wire::Json& document);

// What a list shows and in which order.
struct ListQuery {
  std::string q;
  std::vector<State> states;
  std::vector<TypeId> types;
  std::vector<SiteId> sites;
  std::vector<std::pair<std::string, std::optional<std::string>>> tags;  // key, perhaps value
  std::optional<bool> online;
  std::string sort = "name";  // with a leading minus: turned round
  std::size_t limit = 50;
  std::string cursor;  // of the page before, opened; empty: from the start
};
struct ListPage {
  std::vector<Device> devices;
  std::string next;        // empty: the end
  std::int64_t total = 0;  // exact up to kTotalMax
};
inline constexpr std::int64_t kTotalMax = 10'000;
bool sort_known(std::string_view sort);
Result<ListPage> list_devices(sql::Tx& tx, const seal::Sealer& sealer, const ListQuery& query,
                              const core::SiteFilter& scope, WallTime now);

struct FacetValue {
  std::optional<std::string> value;
  std::string label;
  std::int64_t count = 0;
};
struct Facets {
  std::vector<FacetValue> state, type, site, online, tag;
};
// Each facet counts under all filters but its own, so that its other values stay in sight.
Result<Facets> count_facets(sql::Tx& tx, const ListQuery& query, const core::SiteFilter& scope,
                            WallTime now);

// Presence rows; see presence.hpp.
struct PresenceRow {
  DeviceId device;
  Presence presence;
};
Result<std::vector<PresenceRow>> load_presence(sql::Tx& tx);
Status store_presence(sql::Tx& tx, const PresenceRow& row);

}  // namespace holdfast::devices
