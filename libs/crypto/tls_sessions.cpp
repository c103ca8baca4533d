#include "libs/crypto/tls_sessions.hpp"

namespace holdfast::crypto {

void TlsSessions::put(const std::string& server, SessionPtr session) {
  sessions_.with([&](auto& all) {
    if (all.size() >= kServersMax && !all.contains(server)) all.erase(all.begin());
    auto& of_server = all[server];
    if (of_server.size() >= kSessionsMax) of_server.erase(of_server.begin());
    of_server.push_back(std::move(session));
  });
}

SessionPtr TlsSessions::take(const std::string& server) {
  return sessions_.with([&](auto& all) -> SessionPtr {
    const auto found = all.find(server);
    if (found == all.end()) return nullptr;
    SessionPtr newest = std::move(found->second.back());
    found->second.pop_back();
    if (found->second.empty()) all.erase(found);
    return newest;
  });
}

std::shared_ptr<ClientSessions> make_client_sessions() {
  return std::make_shared<TlsSessions>();
}

}  // namespace holdfast::crypto
