// Contexts: the servers that this account is signed in to, in ~/.config/holdfast/config.json
// (0600). Secrets lie in it: a token, or the cookie of a session. Values; errors are those of
// os::Files, and corrupt for a file that is not ours.
#pragma once

#include <map>
#include <string>

#include "libs/os/files.hpp"

namespace holdfast::cli {

struct Context {
  std::string server;       // "https://host:8443"
  std::string ca_pem;       // the server's CA; empty: see fingerprint
  std::string fingerprint;  // SHA-256 of the CA, hexadecimal; empty: see ca_pem
  std::string token;        // "hft_..."
  std::string cookie;       // of a session, when there is no token
  bool operator==(const Context&) const = default;
};

struct Contexts {
  std::string current = "default";
  std::map<std::string, Context, std::less<>> all;

  const Context* find(std::string_view name) const {
    const auto found = all.find(name);
    return found == all.end() ? nullptr : &found->second;
  }
};

// No file: none.
Result<Contexts> load_contexts(os::Files& files, const std::string& path);
Status save_contexts(os::Files& files, const std::string& path, const Contexts& contexts);

}  // namespace holdfast::cli
