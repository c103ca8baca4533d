#include "server/core/settings.hpp"

#include <array>

namespace holdfast::core {

namespace {

using config::Setting;
using config::Type;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kNoLow = INT64_MIN;
constexpr std::int64_t kNoHigh = INT64_MAX;

constexpr std::array kServerSettings{
    Setting{"data", Type::path, "/var/lib/holdfast",
            "The data folder. Everything lies in it but the sealing key, the key ring and the "
            "checkpoints, which lie"
            " beside it."},
    Setting{"threads", Type::integer, "0",
            "Threads that serve connections; 0: one for each processor.", 0, 256},

    Setting{"api.listen", Type::address, "127.0.0.1:8443",
            "Where operators connect: API and console, HTTPS. Port 0 takes a free one."},
    Setting{"api.sessions_max", Type::integer, "1000",
            "Connections at once, of each thread; more are closed.", 1, 100'000},
    Setting{"api.body_max", Type::size, "1MiB", "Largest body of a request.", 1'024, 64 * kMiB},
    Setting{"mqtt.listen", Type::address, ":8883",
            "Where devices connect: MQTT over mutual TLS 1.3."},
    Setting{"device.listen", Type::address, ":8444",
            "Where devices enrol, download and report over HTTPS. Reachable for every device that "
            "joins."},
    Setting{"enrolment.unknown", Type::choice, "refuse",
            "What a device without a claim gets: refuse, or wait: it waits until an operator or a "
            "registration lets it in.",
            kNoLow, kNoHigh, "refuse,wait"},
    Setting{"pki.listen", Type::address, "",
            "Where revocation lists and OCSP answers are also served without TLS, for foreign "
            "verifiers; empty: nowhere. They are signed in themselves."},
    Setting{"pki.public_url", Type::text, "",
            "Where foreign verifiers reach /pki and /ocsp, such as http://pki.example:8080; new "
            "certificates then name it. Empty: they name no such place."},
    Setting{"server.names", Type::list, "",
            "Names and addresses that devices and browsers use for this server, besides localhost, "
            "the host name and"
            " the addresses of its interfaces; they go into its certificate."},

    Setting{"hub.durability", Type::choice, "disk",
            "When a message of a device is acknowledged: disk, after it is on disk; memory, before "
            "that: faster, and"
            " what was acknowledged in the last moments is lost with the machine's power.",
            kNoLow, kNoHigh, "disk,memory"},
    Setting{"hub.connections_max", Type::integer, "100000", "Connections of devices at once.", 1,
            1'000'000},

    Setting{"limits.devices", Type::integer, "100000",
            "Devices in the registry, decommissioned ones not counted; further ones are refused.",
            1, 10'000'000},
    Setting{"limits.metrics_per_device", Type::integer, "2000",
            "Metrics that one device may report; readings of further ones are refused.", 1,
            100'000},
    Setting{"limits.metrics", Type::integer, "1000000", "Metrics of all devices together.", 1,
            100'000'000},

    Setting{"retention.readings", Type::duration, "365d", "How long readings are kept.", 3'600,
            kNoHigh},
    Setting{"retention.events", Type::duration, "90d", "How long events and logs are kept.", 3'600,
            kNoHigh},
    Setting{"retention.jobs", Type::duration, "30d", "How long finished jobs are listed.", 3'600,
            kNoHigh},
    Setting{"retention.notices", Type::duration, "7d",
            "How far back live streams of the API can resume.", 60, 365 * kDay},

    Setting{"seal.key_file", Type::path, "",
            "File of the sealing key; without it <data>.seal. Keep it off the disk that holds the "
            "data."},
    Setting{"seal.ring_file", Type::path, "", "File of the key ring; without it <data>.ring."},
    Setting{"audit.checkpoint_folder", Type::path, "",
            "Where signed checkpoints of the audit are copied to; without it <data>.checkpoints. "
            "Best on another"
            " machine: they prove that nothing was cut off."},

    Setting{"sql.url", Type::text, "",
            "Connection string of a PostgreSQL database (15 or later); without it the embedded "
            "database in the data"
            " folder.",
            kNoLow, kNoHigh, "", true},
    Setting{"sql.readers", Type::integer, "8", "Reads of the database at once.", 1, 64},
    Setting{"bus.url", Type::text, "",
            "Address of a NATS server with JetStream, such as nats://127.0.0.1:4222; without it "
            "messages stay in this"
            " process.",
            kNoLow, kNoHigh, "", true},

    Setting{"log.level", Type::choice, "info",
            "The least severe entries that the server's own log holds.", kNoLow, kNoHigh,
            "debug,info,warning,error"},
};

std::string beside_data(const config::Config& config, std::string_view key,
                        std::string_view ending) {
  const std::string& own = config.text(key);
  if (!own.empty()) return own;
  std::string data = config.text("data");
  while (data.size() > 1 && data.ends_with('/')) data.pop_back();
  return data + std::string(ending);
}

}  // namespace

config::Schema server_settings() {
  return kServerSettings;
}

std::string server_settings_page() {
  return config::reference_page(
      kServerSettings, "Configuration of the server", "HOLDFAST_",
      "`holdfastd --config FILE` reads one TOML file; without the flag there is none, and every "
      "setting has a default."
      " `holdfast config check FILE` says what is wrong with a file, and where.");
}

std::string seal_file(const config::Config& config) {
  return beside_data(config, "seal.key_file", ".seal");
}
std::string ring_file(const config::Config& config) {
  return beside_data(config, "seal.ring_file", ".ring");
}
std::string checkpoint_folder(const config::Config& config) {
  return beside_data(config, "audit.checkpoint_folder", ".checkpoints");
}

}  // namespace holdfast::core
