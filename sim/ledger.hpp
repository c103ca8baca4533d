// Ledger: what one device knows that the server has acknowledged, kept outside of the device's own
// program: what it says is the promise that the server must hold at the end of a run.
// Values; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace holdfast::sim {

class Ledger {
 public:
  // Readings by metric, "<stream>.<field>"; the scripted probe never gives one value twice.
  using Readings = std::map<std::string, std::set<double>>;

  // A PUBACK of success for this PUBLISH. Only numbers of telemetry/... are kept.
  void acknowledged(std::string_view topic, std::string_view payload);
  // Bytes passed by that are no MQTT: nothing that is said afterwards can be believed.
  void confused(std::string why) {
    if (confusion_.empty()) confusion_ = std::move(why);
  }

  const Readings& readings() const { return readings_; }
  std::uint64_t messages() const { return messages_; }        // acknowledged, of all kinds
  const std::string& confusion() const { return confusion_; }  // "" for none

 private:
  Readings readings_;
  std::uint64_t messages_ = 0;
  std::string confusion_;
};

}  // namespace holdfast::sim
