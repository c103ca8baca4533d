// How many a page of a list holds, and the query that asks for one more, to know whether another
// follows.
#pragma once

#include "libs/http/conditional.hpp"
#include "server/core/answers.hpp"
#include "server/core/operation.hpp"
#include "server/core/people.hpp"

namespace holdfast::api {

inline constexpr std::size_t kPageDefault = 100;
inline constexpr std::size_t kPageMax = 1000;

inline Result<core::PeopleQuery> people_query(const core::Call& call) {
  const core::Page page = TRY(core::page_of(call, kPageDefault, kPageMax));
  core::PeopleQuery query;
  query.q = call.query("q").value_or("");
  query.after = page.cursor;
  query.limit = page.limit + 1;
  return query;
}

}  // namespace holdfast::api
