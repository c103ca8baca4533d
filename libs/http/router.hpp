// Router: from method and path to one row of a route table. A template is
// "/v1/devices/{device_id}"; a literal segment beats a parameter. HEAD goes where GET goes; OPTIONS
// is answered from the table. Built once, then read-only: thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/http/message.hpp"

namespace holdfast::http {

struct Route {
  std::string id;            // operation id
  std::string method;        // "GET"
  std::string path;          // template
  std::size_t body_max = 0;  // bytes
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // invalid_argument: a template that cannot be read; already_exists: one that says the same.
  Status add(Route route);

  struct Match {
    const Route* route = nullptr;  // null: see `error`
    Params params;                 // decoded path parameters
    Code error = Code::not_found;  // not_found or method_not_allowed
    std::string allow;             // "GET, HEAD, OPTIONS" when the path exists
    bool options = false;          // OPTIONS of a path that exists: answer 204 with Allow
  };
  Match find(std::string_view method, const std::vector<std::string>& segments) const;

  // The body that a request may have: that of its route; 0 where there is none.
  std::size_t body_max(const Request& head) const;
  // The answer where `find` gave no route: 404, 405 with Allow, or 204 for OPTIONS.
  static Response refuse(const Match& match, const Request& request);
  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace holdfast::http
