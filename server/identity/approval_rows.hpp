// SQL of approvals: who waits, and who was announced.
#pragma once

#include "server/core/migrate.hpp"
#include "server/identity/approvals.hpp"

namespace holdfast::identity {

std::string_view approval_schema();

Result<std::optional<EnrolmentRequest>> find_request(sql::Tx& tx, View key_hash);
Status put_request(sql::Tx& tx, const EnrolmentRequest& request);  // inserts or replaces
Result<std::int64_t> count_requests(sql::Tx& tx, RequestState state);
Result<std::vector<EnrolmentRequest>> list_requests(sql::Tx& tx, const Approvals::Query& query,
                                                    const core::SiteFilter& scope);

// The one that lets this serial or key in: an exact unused one first, then the longest pattern.
Result<std::optional<Registration>> matching_registration(sql::Tx& tx, std::string_view serial, View key_hash);
// already_exists: the serial is announced.
Status insert_registration(sql::Tx& tx, const Registration& registration);
Status use_registration(sql::Tx& tx, std::string_view serial, DeviceId device);
Result<std::vector<Registration>> list_registrations(sql::Tx& tx, std::string_view after, std::size_t limit,
                                                     const core::SiteFilter& scope);
Result<std::optional<Registration>> find_registration(sql::Tx& tx, std::string_view serial);
Status delete_registration(sql::Tx& tx, std::string_view serial);

}  // namespace holdfast::identity
