// Logs as a fleet of gateways and cameras writes them, made from a seed: sshd, firewall, systemd,
// nginx, DHCP, exec audits, application logs, connects. Addresses, ports, process ids, durations
// and request ids are random; who, what and where follow a few habits, as on real machines.
#pragma once

#include "libs/os/sim/random.hpp"
#include "server/store/events/events.hpp"

namespace holdfast::events {

inline constexpr unsigned kLogDevices = 10'000;

struct LogLine {
  Ulid device{};
  NewEvent event;
};

class Logs {
 public:
  explicit Logs(std::uint64_t seed) : random_(seed) {}
  LogLine next();
  static Ulid device(unsigned number);

 private:
  std::string address();
  std::string hex(unsigned digits);
  std::string pick(const std::vector<std::string>& of) { return of[random_.below(of.size())]; }
  void security(NewEvent& event);
  void traffic(NewEvent& event);
  void machine(NewEvent& event);
  void application(NewEvent& event);
  os::sim::Random random_;
  std::uint64_t made_ = 0;
};

// As a collector would ship it: message, and fields as JSON.
std::size_t raw_bytes(const NewEvent& event);

}  // namespace holdfast::events
