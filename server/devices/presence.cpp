#include "server/devices/presence.hpp"

#include <algorithm>

namespace holdfast::devices {

void PresenceBook::load(std::vector<PresenceRow> rows, WallTime now) {
  book_.with([&](Book& book) {
    for (PresenceRow& row : rows) {
      if (row.presence.sessions > 0) {
        row.presence.sessions = 0;
        row.presence.since = row.presence.last_seen ? row.presence.last_seen : std::optional(now);
        row.presence.last_disconnect_reason = row_of(Code::server_shutting_down).name;
        book.dirty.insert(row.device);
        book.urgent.insert(row.device);
      }
      if (row.presence.online_at(now)) book.by_https.insert(row.device);
      book.rows.emplace(row.device, std::move(row.presence));
    }
  });
}

void PresenceBook::on_change(Told told) {
  told_.with([&](std::vector<Told>& all) { all.push_back(std::move(told)); });
}

void PresenceBook::tell(DeviceId device, bool online) const {
  const auto all = told_.with([](const std::vector<Told>& told) { return told; });
  for (const Told& told : all) told(device, online);
}

void PresenceBook::connected(DeviceId device, std::string_view protocol, std::string_view address,
                             WallTime at) {
  const bool came = book_.with([&](Book& book) {
    Presence& row = book.rows[device];
    const bool was = row.online_at(at);
    ++row.sessions;
    row.last_seen = at;
    row.address = address;
    row.protocol = protocol;
    if (!was) row.since = at;
    book.dirty.insert(device);
    book.urgent.insert(device);
    return !was;
  });
  if (came) tell(device, true);
}

void PresenceBook::disconnected(DeviceId device, const Disconnect& why, WallTime at) {
  const bool went = book_.with([&](Book& book) {
    Presence& row = book.rows[device];
    row.sessions = std::max(0, row.sessions - 1);
    row.last_seen = at;
    row.last_disconnect_reason = why.reason;
    book.dirty.insert(device);
    book.urgent.insert(device);
    if (row.online_at(at)) {
      book.by_https.insert(device);  // by HTTPS for a while, or another session: lapse() looks
      return false;
    }
    row.since = at;
    return true;
  });
  if (went) tell(device, false);
}

void PresenceBook::seen(DeviceId device, WallTime at) {
  book_.with([&](Book& book) {
    Presence& row = book.rows[device];
    if (row.last_seen && *row.last_seen >= at) return;
    row.last_seen = at;
    book.dirty.insert(device);
  });
}

void PresenceBook::https_seen(DeviceId device, std::string_view address, WallTime at) {
  const bool came = book_.with([&](Book& book) {
    Presence& row = book.rows[device];
    const bool was = row.online_at(at);
    row.last_seen = at;
    row.last_https = at;
    if (row.sessions == 0) {
      row.address = address;
      row.protocol = "https";
    }
    if (!was) row.since = at;
    // Urgent also when it was online: the row says until when, and lists read the row.
    book.dirty.insert(device);
    book.urgent.insert(device);
    book.by_https.insert(device);
    return !was;
  });
  if (came) tell(device, true);
}

void PresenceBook::lapse(WallTime now) {
  const auto gone = book_.with([&](Book& book) {
    std::vector<DeviceId> out;
    std::erase_if(book.by_https, [&](const DeviceId& device) {
      const Presence& row = book.rows[device];
      if (row.sessions > 0) return true;  // disconnected() takes it up again
      if (row.online_at(now)) return false;
      out.push_back(device);
      return true;
    });
    std::sort(out.begin(), out.end());
    return out;
  });
  for (const DeviceId& device : gone) tell(device, false);
}

Presence PresenceBook::of(DeviceId device) const {
  return book_.with([&](const Book& book) {
    const auto at = book.rows.find(device);
    return at == book.rows.end() ? Presence{} : at->second;
  });
}

std::size_t PresenceBook::online_count(WallTime now) const {
  return book_.with([&](const Book& book) {
    return static_cast<std::size_t>(
        std::count_if(book.rows.begin(), book.rows.end(),
                      [&](const auto& row) { return row.second.online_at(now); }));
  });
}

std::vector<PresenceRow> PresenceBook::take(bool transitions_only) {
  return book_.with([&](Book& book) {
    std::vector<PresenceRow> rows;
    auto& wanted = transitions_only ? book.urgent : book.dirty;
    rows.reserve(wanted.size());
    for (const DeviceId& device : wanted) rows.push_back({device, book.rows[device]});
    if (transitions_only) {
      for (const PresenceRow& row : rows) book.dirty.erase(row.device);
    } else {
      book.dirty.clear();
    }
    book.urgent.clear();
    // In one order for one history: a simulation replays it.
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return a.device < b.device; });
    return rows;
  });
}

void PresenceBook::untake(const std::vector<PresenceRow>& rows) {
  book_.with([&](Book& book) {
    for (const PresenceRow& row : rows) {
      book.dirty.insert(row.device);
      book.urgent.insert(row.device);
    }
  });
}

}  // namespace holdfast::devices
