#include "agent/settings.hpp"

#include <array>

namespace holdfast::agent {
namespace {

using config::Setting;
using config::Type;

constexpr std::int64_t kMiB = 1024 * 1024;

constexpr std::array<Setting, 15> kAgentSettings = {{
    {"state", Type::path, "/var/lib/holdfast-agent",
     "Folder with the device's identity, its settings file agent.toml and what waits to be sent."},
    {"seal.path", Type::path, "",
     "File with the key that seals the state folder; by default the folder's name and .seal."},
    {"keys.store", Type::choice, "auto",
     "Where the device's keys are made: auto takes the TPM, else the token, else files; the others "
     "are demands.",
     INT64_MIN, INT64_MAX, "auto,tpm,pkcs11,file"},
    {"keys.tpm", Type::text, "device:/dev/tpmrm0", "How to reach the TPM (a TCTI of tpm2-tss)."},
    {"keys.module", Type::path, "", "PKCS#11 module of the token."},
    {"keys.token", Type::text, "", "Label of the PKCS#11 token."},
    {"keys.pin_file", Type::path, "", "File whose first line is the token's PIN."},
    {"join.device", Type::text, "",
     "Where a machine with a TPM joins by itself: the server's device HTTPS, host:port."},
    {"join.mqtt", Type::text, "", "And its MQTT, host:port."},
    {"join.root", Type::text, "", "And the SHA-256 of its root certificate, hexadecimal."},
    {"sample.interval", Type::duration, "10s",
     "How often figures of the machine are taken; the desired state may change it while running.",
     1, 3600},
    {"inventory.interval", Type::duration, "10m",
     "How often the inventory is looked at; it is sent when it changed.", 10, 86'400},
    {"spool.size", Type::size, "64MiB",
     "Disk space for what waits to be sent; beyond it the oldest readings are dropped.", kMiB,
     64 * 1024 * kMiB},
    {"mqtt.keep_alive", Type::duration, "60s", "Silence after which the connection is tested.", 10,
     1200},
    {"log.level", Type::choice, "info",
     "Least level that is logged; the desired state may change it while running.", INT64_MIN,
     INT64_MAX, "debug,info,warning,error"},
}};

}  // namespace

config::Schema agent_settings() {
  return kAgentSettings;
}

}  // namespace holdfast::agent
