// Client sessions by server, each used once (RFC 8446 C.4). Private to libs/crypto.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libs/base/guarded.hpp"
#include "libs/crypto/openssl.hpp"
#include "libs/crypto/transport.hpp"

namespace holdfast::crypto {

class TlsSessions final : public ClientSessions {
 public:
  static constexpr std::size_t kServersMax = 64;
  static constexpr std::size_t kSessionsMax = 4;  // a server; the oldest goes

  void put(const std::string& server, SessionPtr session);
  SessionPtr take(const std::string& server);  // the newest, or null

 private:
  Guarded<std::map<std::string, std::vector<SessionPtr>>> sessions_;
};

}  // namespace holdfast::crypto
