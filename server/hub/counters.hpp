// The hub's counters for /metrics, registered once. Thread-safe.
#pragma once

#include <atomic>

#include "libs/base/metrics.hpp"

namespace holdfast::hub {

struct HubCounters {
  explicit HubCounters(Metrics& all) : metrics(all) {}

  Metrics& metrics;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> live{0};

  Counter& opened = metrics.counter("holdfast_hub_connections_total",
                                    "MQTT connections with a proven certificate");
  Counter& accepted_3 =
      metrics.counter("holdfast_hub_accepted_total", "CONNECTs accepted", "version=\"3.1.1\"");
  Counter& accepted_5 =
      metrics.counter("holdfast_hub_accepted_total", "CONNECTs accepted", "version=\"5.0\"");
  Counter& up_qos0 =
      metrics.counter("holdfast_hub_publishes_total", "PUBLISH packets from devices", "qos=\"0\"");
  Counter& up_qos1 =
      metrics.counter("holdfast_hub_publishes_total", "PUBLISH packets from devices", "qos=\"1\"");
  Counter& up_resent =
      metrics.counter("holdfast_hub_publishes_resent_total", "PUBLISH packets with DUP");
  Counter& up_refused = metrics.counter("holdfast_hub_publishes_refused_total",
                                        "PUBLISH packets refused by topic or size");
  Counter& down_sent =
      metrics.counter("holdfast_hub_messages_down_total", "Messages sent to devices");
  Counter& down_resent =
      metrics.counter("holdfast_hub_messages_down_resent_total", "Messages sent to devices again");
  Counter& down_acked = metrics.counter("holdfast_hub_messages_down_acked_total",
                                        "Messages that devices acknowledged");
  Counter& down_dropped = metrics.counter(
      "holdfast_hub_messages_down_dropped_total",
      "Messages not sent: past their deadline, withdrawn, or too large for the client");
  Counter& keys_dropped =
      metrics.counter("holdfast_hub_settled_dropped_total", "Keys that a session forgot too early");
  Counter& acks_unknown =
      metrics.counter("holdfast_hub_acks_unknown_total", "PUBACKs for no message");
  Counter& suppressed =
      metrics.counter("holdfast_hub_events_suppressed_total",
                      "Entries left out of timelines because there were too many");
  Counter& paused_rate =
      metrics.counter("holdfast_hub_pauses_total", "Times that reading was paused", "why=\"rate\"");
  Counter& paused_full = metrics.counter("holdfast_hub_pauses_total",
                                         "Times that reading was paused", "why=\"overload\"");
  Counter& paused_slow = metrics.counter("holdfast_hub_pauses_total",
                                         "Times that reading was paused", "why=\"slow_client\"");
  Counter& settle_failed = metrics.counter("holdfast_hub_settle_failed_total",
                                           "Acknowledgements that could not be told to the domain");
  Counter& handshakes_refused =
      metrics.counter("holdfast_hub_handshakes_refused_total", "TLS handshakes that failed");

  // By problem code; "client" for a proper end. Registered as they come: there are few.
  Counter& ended(std::string_view reason) {
    return metrics.counter("holdfast_hub_disconnects_total", "Ends of MQTT connections",
                           "reason=\"" + std::string(reason) + "\"");
  }
};

}  // namespace holdfast::hub
