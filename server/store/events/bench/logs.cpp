#include "server/store/events/bench/logs.hpp"

#include <cmath>

namespace holdfast::events {
namespace {

const std::vector<std::string> kUsers{"root", "admin",  "pi",     "ubuntu", "operator",
                                      "git",  "deploy", "oracle", "test",   "guest"};
const std::vector<std::string> kServices{"nginx",     "mosquitto",     "collector",      "dnsmasq",
                                         "chronyd",   "containerd",    "holdfast-agent", "cron",
                                         "bluetooth", "wpa_supplicant"};
const std::vector<std::string> kPaths{"/api/v1/status", "/api/v1/frames", "/healthz", "/login",
                                      "/stream/main",   "/config",        "/metrics", "/firmware"};
const std::vector<std::string> kBinaries{"/usr/bin/sudo", "/bin/sh",          "/usr/bin/curl",
                                         "/usr/sbin/nft", "/usr/bin/python3", "/usr/bin/apt-get"};

}  // namespace

Ulid Logs::device(unsigned number) {
  Ulid out{};
  out[0] = 1;
  // Spread, as ids drawn at random are.
  const std::uint64_t spread = (number + 1) * 0x9E3779B97F4A7C15ULL;
  for (unsigned i = 0; i < 8; ++i) out[i + 1] = static_cast<std::uint8_t>(spread >> (8 * i));
  for (unsigned i = 0; i < 4; ++i) out[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

std::string Logs::address() {
  const auto byte = [&] { return std::to_string(random_.below(256)); };
  switch (random_.below(4)) {
    case 0:
      return "10." + std::to_string(random_.below(16)) + "." + byte() + "." + byte();
    case 1:
      return "192.168." + std::to_string(random_.below(4)) + "." + byte();
    default:  // the same scanners again and again
      return std::to_string(185 + random_.below(8)) + "." + std::to_string(random_.below(40)) +
             "." + std::to_string(random_.below(20)) + "." + byte();
  }
}

std::string Logs::hex(unsigned digits) {
  std::string out;
  for (unsigned i = 0; i < digits; ++i) out += "0123456789abcdef"[random_.below(16)];
  return out;
}

void Logs::security(NewEvent& event) {
  const std::string user = pick(kUsers), ip = address();
  const auto port = static_cast<std::int64_t>(1024 + random_.below(64'512));
  const auto pid = static_cast<std::int64_t>(random_.below(32'768));
  event.fields = {{"user", user}, {"ip", ip}, {"port", port}, {"pid", pid}};
  if (random_.chance(70)) {
    event.kind = "authentication_failed";
    event.severity = Severity::warning;
    event.message = "sshd[" + std::to_string(pid) + "]: Failed password for " +
                    (random_.chance(40) ? "invalid user " : "") + user + " from " + ip + " port " +
                    std::to_string(port) + " ssh2";
  } else {
    event.kind = "log";
    event.message = "sshd[" + std::to_string(pid) + "]: Accepted publickey for " + user + " from " +
                    ip + " port " + std::to_string(port) + " ssh2";
    event.fields["method"] = "publickey";
  }
}

void Logs::traffic(NewEvent& event) {
  event.kind = "flow_denied";
  event.severity = Severity::notice;
  const std::string source = address(), target = address(),
                    protocol = random_.chance(80) ? "TCP" : "UDP";
  const auto from = static_cast<std::int64_t>(1024 + random_.below(64'512));
  const std::int64_t to =
      std::array<std::int64_t, 6>{22, 23, 443, 445, 8080, 1883}[random_.below(6)];
  event.message = "[UFW BLOCK] IN=eth0 OUT= SRC=" + source + " DST=" + target +
                  " LEN=" + std::to_string(40 + 4 * random_.below(6)) +
                  " TTL=" + std::to_string(40 + random_.below(24)) + " PROTO=" + protocol +
                  " SPT=" + std::to_string(from) + " DPT=" + std::to_string(to);
  event.fields = {
      {"src", source}, {"dst", target}, {"proto", protocol}, {"spt", from}, {"dpt", to}};
}

void Logs::machine(NewEvent& event) {
  const std::string service = pick(kServices);
  switch (random_.below(5)) {
    case 0:
      event.message = "systemd[1]: Started " + service + ".service.";
      event.fields = {{"unit", service + ".service"}};
      break;
    case 1:
      event.severity = Severity::error;
      event.message = "systemd[1]: " + service +
                      ".service: Main process exited, code=exited, status=" +
                      std::to_string(1 + random_.below(3)) + "/FAILURE";
      event.fields = {{"unit", service + ".service"},
                      {"status", static_cast<std::int64_t>(1 + random_.below(3))}};
      break;
    case 2:
      event.message = "kernel: usb 1-" + std::to_string(1 + random_.below(4)) +
                      ": new high-speed USB device number " + std::to_string(random_.below(120)) +
                      " using xhci_hcd";
      event.severity = Severity::debug;
      break;
    case 3: {
      const std::string ip = address();
      event.message = "dnsmasq-dhcp: DHCPACK(eth1) " + ip + " 02:" + hex(2) + ":" + hex(2) + ":" +
                      hex(2) + ":" + hex(2) + ":" + hex(2);
      event.fields = {{"ip", ip}};
      break;
    }
    default: {
      event.kind = "exec";
      const std::string binary = pick(kBinaries);
      const auto pid = static_cast<std::int64_t>(random_.below(32'768));
      event.message = "exec " + binary + " by " + pick(kUsers) + " pid " + std::to_string(pid);
      event.fields = {{"exe", binary},
                      {"pid", pid},
                      {"uid", static_cast<std::int64_t>(random_.below(3) * 1000)}};
    }
  }
}

void Logs::application(NewEvent& event) {
  switch (random_.below(4)) {
    case 0: {
      const auto status = std::array<std::int64_t, 5>{200, 200, 304, 404, 500}[random_.below(5)];
      const std::string ip = address(), path = pick(kPaths);
      event.severity = status == 500 ? Severity::error : Severity::info;
      event.message = ip + " - - \"GET " + path + " HTTP/1.1\" " + std::to_string(status) + " " +
                      std::to_string(random_.below(20'000));
      event.fields = {{"ip", ip},
                      {"path", path},
                      {"status", status},
                      {"ms", static_cast<double>(random_.below(20'000)) / 100}};
      break;
    }
    case 1: {
      const std::string request = hex(16);
      event.message = "camera " + std::to_string(1 + random_.below(8)) + ": motion in zone " +
                      std::to_string(1 + random_.below(4)) + ", clip " + request + " stored, " +
                      std::to_string(random_.below(9000)) + " ms";
      event.fields = {{"clip", request}, {"zone", static_cast<std::int64_t>(1 + random_.below(4))}};
      break;
    }
    case 2:
      event.kind = random_.chance(50) ? "connect" : "disconnect";
      event.message = "session over TLS 1.3 from " + address() + " client id cam-" +
                      std::to_string(random_.below(kLogDevices));
      event.fields = {{"keep_alive", static_cast<std::int64_t>(60)}};
      break;
    default:
      event.severity = Severity::debug;
      event.message = "collector: batch of " + std::to_string(random_.below(500)) +
                      " points sent in " + std::to_string(random_.below(300)) + " ms, queue " +
                      std::to_string(random_.below(50));
      event.fields = {{"component", "collector"}, {"level", "debug"}};
  }
}

LogLine Logs::next() {
  LogLine out;
  // A fifth of the devices write half of the lines.
  const std::uint64_t group = random_.below(2) == 0 ? kLogDevices / 5 : kLogDevices;
  out.device = device(static_cast<unsigned>(random_.below(group)));
  NewEvent& event = out.event;
  event.kind = "log";
  const std::uint64_t what = random_.below(100);
  if (what < 20) {
    security(event);
  } else if (what < 40) {
    traffic(event);
  } else if (what < 65) {
    machine(event);
  } else {
    application(event);
  }
  ++made_;
  // What the searches look for: words of known frequency.
  if (made_ % 400'000 == 77) event.message += " needlefifty";
  if (made_ % 10'000 == 5) event.message += " needlemany";
  if (made_ % 1'000 == 3) event.message += " needlecommon";
  return out;
}

std::size_t raw_bytes(const NewEvent& event) {
  std::size_t out = event.message.size() + 2;
  for (const auto& [name, value] : event.fields) {
    const auto* text = std::get_if<std::string>(&value);
    out += name.size() + 4 + (text != nullptr ? text->size() + 2 : wire::value_text(value).size());
  }
  return out;
}

}  // namespace holdfast::events
