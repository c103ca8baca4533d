// Configuration files of any bytes: no crash, and what is accepted reads back as typed values.
#include <array>
#include <cstdlib>

#include "libs/config/config.hpp"

namespace {

using holdfast::config::Setting;
using holdfast::config::Type;
constexpr std::array kSettings{
    Setting{"data", Type::path, "/tmp", "Folder."},
    Setting{"api.listen", Type::address, "127.0.0.1:8443", "Address."},
    Setting{"api.limit", Type::integer, "5", "Limit.", 1, 10},
    Setting{"ratio", Type::real, "0.5", "Ratio."},
    Setting{"flag", Type::boolean, "false", "Flag."},
    Setting{"keep", Type::duration, "7d", "Keep.", 60, 86'400'000},
    Setting{"room", Type::size, "64MiB", "Room.", 0, 1 << 30},
    Setting{"mode", Type::choice, "disk", "Mode.", INT64_MIN, INT64_MAX, "disk,memory"},
    Setting{"names", Type::list, "", "Names."},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::config::Inputs inputs;
  inputs.file_name = "holdfast.toml";
  inputs.file_text.assign(reinterpret_cast<const char*>(data), size);
  const auto loaded = holdfast::config::load(kSettings, inputs);
  const auto findings = holdfast::config::check(kSettings, inputs);
  if (loaded.has_value() != findings.empty()) std::abort();
  if (!loaded) return 0;
  const auto& config = loaded->config;
  const std::int64_t limit = config.integer("api.limit");
  if (limit < 1 || limit > 10) std::abort();
  if (config.duration("keep") < holdfast::seconds(60)) std::abort();
  if (config.text("mode") != "disk" && config.text("mode") != "memory") std::abort();
  for (const std::string& name : config.list("names")) {
    if (name.empty()) std::abort();
  }
  return 0;
}
