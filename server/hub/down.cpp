#include "server/hub/down.hpp"

namespace holdfast::hub {

Result<Fetched> fetch(control::Service& control, DeviceId device, const Fetch& asked) {
  Fetched fetched;
  for (const auto& key : asked.resolve) {
    fetched.resolved.emplace_back(key, TRY(control.find_down(device, key)));
  }
  if (asked.limit > 0) fetched.pending = TRY(control.pending(device, asked.limit));
  if (!asked.twin) return fetched;
  const auto view = TRY(control.twin(device));
  if (view.version > 0) {
    fetched.twin = TRY(control.find_down(device, "twin:" + std::to_string(view.version)));
  }
  return fetched;
}

// Looked at again after it was told: a command that was cancelled, or a twin that was replaced,
// since it was offered must not go out.
Result<Prepared> tell_sent(control::Service& control, DeviceId device,
                           const std::vector<std::string>& keys, WallTime at) {
  Prepared prepared;
  for (const auto& key : keys) {
    TRY(control.sent(device, key, at));
    if (!TRY(control.find_down(device, key))) prepared.dropped.push_back(key);
  }
  return prepared;
}

}  // namespace holdfast::hub
