// Users: list, add, show, change, remove.
#include "server/api/pages.hpp"
#include "server/api/people_json.hpp"
#include "server/api/people_routes.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using http::Response;

Result<Response> list(core::People& people, const Call& call) {
  const core::PeopleQuery query = TRY(people_query(call));
  return core::list_response(TRY(people.list_users(call.caller, query)), query.limit - 1, user_json,
                             [](const core::User& user) { return user.id.text(); });
}

Result<Response> create(core::People& people, const Call& call) {
  const core::NewUser wanted = TRY(new_user_of(call.body));
  const core::User user = TRY(people.create_user(call.caller, wanted));
  return core::object_response(201, user_json(user), user.revision, "/v1/users/" + user.id.text());
}

Result<Response> show(core::People& people, const Call& call) {
  const auto id = TRY(call.id<UserId>("user_id", "user.read"));
  const core::User user = TRY(people.find_user(call.caller, id));
  return core::object_response(200, user_json(user), user.revision);
}

Result<Response> change(core::People& people, const Call& call) {
  const auto id = TRY(call.id<UserId>("user_id", "user.write"));
  const auto revision = TRY(http::wanted_revision(call.request));
  const core::UserPatch patch = TRY(user_patch_of(call.body));
  const core::User user = TRY(people.change_user(call.caller, id, revision, patch));
  return core::object_response(200, user_json(user), user.revision);
}

Result<Response> remove(core::People& people, const Call& call) {
  const auto id = TRY(call.id<UserId>("user_id", "user.write"));
  TRY(people.remove_user(call.caller, id, TRY(http::wanted_revision(call.request))));
  return http::no_content();
}

}  // namespace

Status add_user_routes(core::Operations& operations, core::People& people) {
  TRY(operations.add("list_users", [&](const Call& call) { return list(people, call); }));
  TRY(operations.add("create_user", [&](const Call& call) { return create(people, call); }));
  TRY(operations.add("get_user", [&](const Call& call) { return show(people, call); }));
  TRY(operations.add("update_user", [&](const Call& call) { return change(people, call); }));
  return operations.add("delete_user", [&](const Call& call) { return remove(people, call); });
}

}  // namespace holdfast::api
