#include "server/hub/down.hpp"

namespace holdfast::hub {
namespace {

bool withdrawn(Code code) {
  return code == Code::not_found || code == Code::conflict || code == Code::deadline_passed;
}

}  // namespace

Result<Fetched> fetch(control::Service& control, DeviceId device, const Fetch& asked) {
  Fetched fetched;
  for (const auto& key : asked.resolve)
    fetched.resolved.emplace_back(key, TRY(control.find_down(device, key)));
  if (asked.limit > 0) fetched.pending = TRY(control.pending(device, asked.limit));
  if (!asked.twin) return fetched;
  const auto view = TRY(control.twin(device));
  if (view.version > 0)
    fetched.twin = TRY(control.find_down(device, "twin:" + std::to_string(view.version)));
  return fetched;
}

Result<Prepared> tell_sent(control::Service& control, DeviceId device,
                           const std::vector<std::string>& keys, WallTime at) {
  Prepared prepared;
  for (const auto& key : keys) {
    const auto sent = control.sent(device, key, at);
    if (sent) continue;
    if (!withdrawn(sent.error().code)) return std::unexpected(sent.error());
    prepared.dropped.push_back(key);
  }
  return prepared;
}

}  // namespace holdfast::hub
