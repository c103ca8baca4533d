// Server-sent events (HTML standard, section 9.2): writing them, and reading them as a client.
// Pure; a parser belongs to one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"

namespace holdfast::http {

struct Event {
  std::string id;    // always set by servers; without line breaks or NUL
  std::string name;  // "device"; empty is "message"
  std::string data;  // any text; line breaks become several data lines
  bool operator==(const Event&) const = default;
};

// An event without name and data is only an id: it moves where the client would resume.
std::string format_event(const Event& event);
inline constexpr std::string_view kHeartbeat = ": beat\n\n";

class EventParser {
 public:
  static constexpr std::size_t kEventMax = 1024 * 1024;  // bytes of one event

  // Calls `event` for each event that is complete; payload_too_large when one exceeds kEventMax.
  Status feed(View bytes, const std::function<void(Event)>& event);
  // The last id seen: what Last-Event-ID says after a reconnect.
  const std::string& last_id() const { return last_id_; }

 private:
  void line(std::string_view text, const std::function<void(Event)>& event);
  std::string buffer_;  // an unfinished line
  Event event_;
  bool has_data_ = false;
  bool start_ = true;     // a byte order mark may come
  bool skip_lf_ = false;  // the line ended in CR
  std::string last_id_;
};

}  // namespace holdfast::http
