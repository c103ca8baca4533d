// Sites (where devices are; the scope of people) and device types (what devices of a kind share).
// Threads: calls block on SQL.
#pragma once

#include "server/core/change.hpp"
#include "server/core/operation.hpp"
#include "server/devices/model.hpp"

namespace holdfast::devices {

inline constexpr std::size_t kDescriptionBytesMax = 1'000;
inline constexpr std::size_t kStreamsMax = 1'000;

struct Site {
  SiteId id;
  std::string name;
  std::string description;
  std::int64_t device_count = 0;
  std::int64_t revision = 1;
  WallTime created_at, updated_at;
};

struct DeviceType {
  TypeId id;
  std::string name;
  std::string description;
  wire::Json streams = wire::JsonArray{};  // schema Streams of the contract
  std::int64_t device_count = 0;
  std::int64_t revision = 1;
  WallTime created_at, updated_at;
  std::optional<EvidenceClass> evidence_required;  // the least a device of it must prove
};

template <class T>
struct PlacePage {
  std::vector<T> items;
  std::string next;
  std::int64_t total = 0;
};

class Places {
 public:
  explicit Places(core::Store& store) : store_(store) {}

  Result<PlacePage<Site>> sites(const core::Caller& caller, const core::Page& page,
                                std::string_view q);
  Result<Site> site(const core::Caller& caller, std::string_view permission, SiteId id);
  Result<Site> save_site(const core::Caller& caller, std::optional<SiteId> id,
                         const wire::Json& body, const http::Request& request);
  Status delete_site(const core::Caller& caller, SiteId id, const http::Request& request);

  Result<PlacePage<DeviceType>> types(const core::Caller& caller, const core::Page& page,
                                      std::string_view q);
  Result<DeviceType> type(const core::Caller& caller, std::string_view permission, TypeId id);
  Result<DeviceType> save_type(const core::Caller& caller, std::optional<TypeId> id,
                               const wire::Json& body, const http::Request& request);
  Status delete_type(const core::Caller& caller, TypeId id, const http::Request& request);

 private:
  core::Store& store_;
};

// Pure: the member `streams` of a type, as StreamMeaning wants it.
Status check_streams(const wire::Json& streams);

}  // namespace holdfast::devices
