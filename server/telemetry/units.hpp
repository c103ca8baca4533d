// Units: the unit of a metric, as the device's type tells it. Types are read once and again after they
// change.
// Threads: any; unit_of() may block on SQL.
#pragma once

#include <map>
#include <string>

#include "libs/base/guarded.hpp"
#include "libs/wire/json.hpp"
#include "server/core/notices.hpp"

namespace holdfast::telemetry {

class Units {
 public:
  // What a type says of its metrics: the member `streams` of a device type, or nothing for none.
  using Read = std::function<Result<wire::Json>(TypeId)>;
  explicit Units(Read read) : read_(std::move(read)) {}
  Status follow(core::Dispatcher& dispatcher);  // before it starts

  std::optional<std::string> unit_of(const std::optional<TypeId>& type, std::string_view metric);

 private:
  using OfType = std::map<std::string, std::string, std::less<>>;  // metric, or "stream.*", to unit
  Read read_;
  Guarded<std::map<TypeId, OfType>> types_;
};

}  // namespace holdfast::telemetry
