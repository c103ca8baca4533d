#include "libs/http/router.hpp"

#include <algorithm>

namespace holdfast::http {

// A tree by segments. A node knows its literal children, and one child for a parameter.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::map<std::string, const Route*, std::less<>> by_method;

  // The node of a path, literals first; a path that leads to no route is left and another tried.
  const Node* find(const std::vector<std::string>& segments, std::size_t at,
                   std::vector<std::string>& taken) const {
    if (at == segments.size()) return by_method.empty() ? nullptr : this;
    if (const auto found = literals.find(segments[at]); found != literals.end()) {
      if (const Node* node = found->second->find(segments, at + 1, taken)) return node;
    }
    if (parameter && !segments[at].empty()) {
      taken.push_back(segments[at]);
      if (const Node* node = parameter->find(segments, at + 1, taken)) return node;
      taken.pop_back();
    }
    return nullptr;
  }
};

namespace {

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.starts_with('{') && segment.ends_with('}');
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> out;
  path.remove_prefix(1);
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return out;
}

std::string allowed(const std::map<std::string, const Route*, std::less<>>& by_method) {
  std::string out;
  for (const auto& [method, route] : by_method) {
    out += method + ", ";
    if (method == "GET" && !by_method.contains("HEAD")) out += "HEAD, ";
  }
  return out + "OPTIONS";
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

Status Router::add(Route route) {
  if (!route.path.starts_with('/') || !is_token(route.method)) {
    return fail(Code::invalid_argument, "route " + route.id + ": a method and a path that starts " +
                                            "with a slash are needed");
  }
  Node* node = root_.get();
  for (std::string_view segment : split(route.path)) {
    const bool parameter = is_parameter(segment);
    if (segment.empty() || (!parameter && segment.find_first_of("{}") != std::string_view::npos)) {
      return fail(Code::invalid_argument, "route " + route.id + ": cannot read segment \"" +
                                              std::string(segment) + "\" of " + route.path);
    }
    auto& next = parameter ? node->parameter : node->literals[std::string(segment)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
  }
  if (node->by_method.contains(route.method)) {
    return fail(Code::already_exists, "route " + route.id + ": " + route.method + " " + route.path +
                                          " is " + node->by_method[route.method]->id + " already");
  }
  routes_.push_back(std::make_unique<Route>(std::move(route)));
  node->by_method[routes_.back()->method] = routes_.back().get();
  return {};
}

Router::Match Router::find(std::string_view method,
                           const std::vector<std::string>& segments) const {
  Match out;
  std::vector<std::string> taken;
  const Node* node = root_->find(segments, 0, taken);
  if (!node) return out;
  out.allow = allowed(node->by_method);
  auto found = node->by_method.find(method);
  if (found == node->by_method.end() && method == "HEAD") found = node->by_method.find("GET");
  if (found == node->by_method.end()) {
    out.error = Code::method_not_allowed;
    out.options = method == "OPTIONS";
    return out;
  }
  out.route = found->second;
  std::size_t next = 0;
  for (std::string_view segment : split(out.route->path)) {
    if (!is_parameter(segment)) continue;
    segment = segment.substr(1, segment.size() - 2);
    out.params.emplace_back(std::string(segment), std::move(taken[next++]));
  }
  return out;
}

std::size_t Router::body_max(const Request& head) const {
  const Match match = find(head.method, head.segments);
  return match.route ? match.route->body_max : 0;
}

Response Router::refuse(const Match& match, const Request& request) {
  if (match.options) {
    Response out = no_content();
    out.headers.set("Allow", match.allow);
    return out;
  }
  const std::string message = match.error == Code::method_not_allowed
                                  ? request.method + " is not taken here; " + match.allow + " are."
                                  : "There is nothing at " + request.path + ".";
  Response out =
      problem(Error{match.error, message, {}, {}, {}}, {request.path, request.request_id, {}});
  if (!match.allow.empty()) out.headers.set("Allow", match.allow);
  return out;
}

}  // namespace holdfast::http
