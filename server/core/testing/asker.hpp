// For tests of domains: asks an operation as server/api would, and reads what a change left behind
// (notices, audit entries).
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/core/audit.hpp"
#include "server/core/operation.hpp"
#include "server/core/testing/test_store.hpp"

namespace holdfast::core {

struct Asking {
  http::Params path{};
  http::Params query{};
  wire::Json body{};
  std::string if_match{};
};

struct Answer {
  int status = 0;  // 0: a failure
  http::Headers headers{};
  wire::Json body{};
  std::optional<Error> error{};

  // Code::internal for a success: no test asks for that one.
  Code code() const { return error ? error->code : Code::internal; }
  std::string pointer() const { return error ? error->pointer : ""; }
  std::string etag() const { return std::string(headers.get("ETag").value_or("")); }
  const wire::Json& at(std::string_view pointer) const { return body.at_pointer(pointer); }
  std::string text(std::string_view pointer) const {
    return std::string(body.at_pointer(pointer).as_string());
  }
};

class Asker {
 public:
  Asker(const Operations& operations, os::Clock& clock) : operations_(operations), clock_(clock) {}

  Answer operator()(std::string_view operation, const Asking& asking = {},
                    const Caller& caller = test_caller()) const {
    http::Request request;
    request.params = asking.path;
    request.query = asking.query;
    if (!asking.if_match.empty()) request.headers.set("If-Match", asking.if_match);
    const Operations::Entry* entry = operations_.find(operation);
    Answer out;
    if (entry == nullptr || !entry->handler) {
      ADD_FAILURE() << "no handler for " << operation;
      return out;
    }
    auto answered = entry->handler(Call{caller, request, asking.body, clock_.wall()});
    if (!answered) {
      out.error = answered.error();
      return out;
    }
    out.status = answered->status;
    out.headers = answered->headers;
    if (!answered->body.empty()) {
      auto json = wire::parse_json(text_of(answered->body));
      EXPECT_TRUE(json) << operation << " answered no JSON";
      if (json) out.body = *std::move(json);
    }
    return out;
  }

 private:
  const Operations& operations_;
  os::Clock& clock_;
};

struct NoticeSeen {
  std::string name;
  wire::Json payload;
  std::optional<SiteId> site;
};
// All notices after the number `after`, oldest first.
inline std::vector<NoticeSeen> notices_after(Store& store, std::int64_t after = 0) {
  std::vector<NoticeSeen> out;
  EXPECT_TRUE(store.read([&](sql::Tx& tx) -> Status {
    out = TRY(tx.list("SELECT name,payload,site_id FROM notice WHERE seq>? ORDER BY seq", {after},
                      [](sql::Row& row) {
                        return NoticeSeen{row.text(0), wire::parse_json(row.text(1)).value(),
                                          row.maybe_id<SiteId>(2)};
                      }));
    return {};
  }));
  return out;
}
inline std::vector<std::string> names_of(const std::vector<NoticeSeen>& notices) {
  std::vector<std::string> names;
  for (const NoticeSeen& notice : notices) names.push_back(notice.name);
  return names;
}
inline std::int64_t last_notice(Store& store) {
  std::int64_t last = 0;
  EXPECT_TRUE(store.read([&](sql::Tx& tx) -> Status {
    last = TRY(tx.number("SELECT coalesce(max(seq),0) FROM notice"));
    return {};
  }));
  return last;
}
// The entries about one object, oldest first.
inline std::vector<audit::Entry> audit_of(Store& store, std::string_view object) {
  std::vector<audit::Entry> out;
  EXPECT_TRUE(store.read([&](sql::Tx& tx) -> Status {
    audit::Query query;
    query.from_seq = 0;
    query.object = object;
    query.limit = 1'000;
    out = TRY(audit::list(tx, store.sealer(), query));
    return {};
  }));
  return out;
}
inline std::int64_t count_rows(Store& store, std::string_view table) {
  std::int64_t count = -1;
  EXPECT_TRUE(store.read([&](sql::Tx& tx) -> Status {
    count = TRY(tx.number("SELECT count(*) FROM " + std::string(table)));
    return {};
  }));
  return count;
}

}  // namespace holdfast::core
