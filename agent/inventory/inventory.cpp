#include "agent/inventory/inventory.hpp"

#include <algorithm>

#include "libs/crypto/hash.hpp"
#include "libs/wire/utf8.hpp"

namespace holdfast::agent {
namespace {

constexpr std::string_view kMachineIdUse = "holdfast inventory machine id";
constexpr std::size_t kTextMax = 128;  // of names and versions (the contract's schema)

// Files of a machine may hold anything; the contract wants short UTF-8.
std::string fit(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kTextMax))
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (!out.empty() && !wire::valid_utf8(out)) out.pop_back();
  return out;
}

// Quotes and backslashes of a shell word.
std::string unquoted(std::string_view text) {
  char quote = 0;
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    quote = text.front();
    text = text.substr(1, text.size() - 2);
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && quote != '\'' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

std::string_view trim_blanks(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

std::string value_or(const std::map<std::string, std::string>& values, const std::string& key,
                     std::string fallback) {
  const auto at = values.find(key);
  return at == values.end() || at->second.empty() ? std::move(fallback) : at->second;
}

void put_text(wire::JsonObject& object, std::string_view key, std::string_view text) {
  const std::string fitting = fit(text);
  if (!fitting.empty()) object[key] = fitting;
}

wire::JsonArray components_of(const Facts& facts, const std::string& os_name,
                              const std::string& os_version, std::string_view agent_version) {
  wire::JsonArray out;
  out.push_back(wire::JsonObject{{"name", "os"}, {"version", fit(os_name + " " + os_version)}});
  if (!facts.kernel.empty()) {
    out.push_back(wire::JsonObject{{"name", "kernel"}, {"version", fit(facts.kernel)}});
  }
  wire::JsonObject agent{{"name", "holdfast-agent"}, {"version", fit(agent_version)}};
  if (!facts.program_digest.empty()) agent["digest"] = facts.program_digest;
  out.push_back(std::move(agent));
  return out;
}

// The addresses are the machine's: which interface has which, this kernel interface does not tell.
wire::JsonArray network_of(const Facts& facts) {
  wire::JsonArray out;
  for (const auto& name : facts.interfaces) {
    out.push_back(wire::JsonObject{{"name", fit(name)}});
  }
  if (facts.addresses.empty()) return out;
  wire::JsonArray addresses;
  for (const auto& address : facts.addresses) addresses.emplace_back(fit(address));
  if (out.size() == 1) {
    out[0].get_object()["addresses"] = std::move(addresses);
  } else {
    out.push_back(wire::JsonObject{{"name", "all"}, {"addresses", std::move(addresses)}});
  }
  return out;
}

wire::JsonArray disks_of(const Facts& facts) {
  wire::JsonArray out;
  for (const auto& disk : facts.disks) {
    out.push_back(wire::JsonObject{{"mount", fit(disk.path)}, {"total_bytes", disk.total_bytes}});
  }
  return out;
}

}  // namespace

std::map<std::string, std::string> parse_os_release(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const std::string_view line = trim_blanks(take_line(text));
    const auto equals = line.find('=');
    if (line.empty() || line.front() == '#' || equals == std::string_view::npos || equals == 0) {
      continue;
    }
    const std::string_view key = line.substr(0, equals);
    const bool named = std::ranges::all_of(
        key, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
    if (named)
      out[std::string(key)] = unquoted(line.substr(equals + 1)).substr(0, kOsReleaseValueMax);
  }
  return out;
}

Processor parse_cpuinfo(std::string_view text) {
  Processor out;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = trim_blanks(line.substr(0, colon));
    const std::string_view value = trim_blanks(line.substr(colon + 1));
    if (key == "processor") ++out.cores;
    // x86; 32-bit ARM; RISC-V. 64-bit ARM names none.
    const bool model = key == "model name" || key == "uarch" || key == "Hardware";
    if (model && out.model.empty()) out.model = fit(value);
  }
  return out;
}

std::string hashed_machine_id(std::string_view machine_id) {
  if (machine_id.empty()) return {};
  const auto hash = crypto::hmac_sha256(view_of(machine_id), view_of(kMachineIdUse));
  return to_hex(View(hash).first(16));
}

wire::JsonObject inventory_of(const Facts& facts, std::string_view agent_version) {
  const auto release = parse_os_release(facts.os_release);
  const std::string name = value_or(release, "NAME", "Linux");
  const std::string version = value_or(release, "VERSION_ID", "unknown");
  const Processor processor = parse_cpuinfo(facts.cpu_info);

  wire::JsonObject hardware{{"processor", facts.architecture}};
  put_text(hardware, "model", facts.board_model);
  put_text(hardware, "processor_model", processor.model);
  if (processor.cores > 0) hardware["cores"] = processor.cores;
  if (facts.memory_bytes > 0) hardware["memory_bytes"] = facts.memory_bytes;
  if (!facts.disks.empty()) hardware["disks"] = disks_of(facts);

  wire::JsonObject os{{"name", fit(name)}, {"version", fit(version)}};
  put_text(os, "kernel", facts.kernel);
  put_text(os, "host_name", facts.host_name);
  put_text(os, "machine_id_hash", hashed_machine_id(facts.machine_id));

  return {{"components", components_of(facts, name, version, agent_version)},
          {"network", network_of(facts)},
          {"hardware", std::move(hardware)},
          {"os", std::move(os)}};
}

}  // namespace holdfast::agent
