#include "server/core/authz.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "generated/api/operations.hpp"

namespace holdfast::core {
namespace {

Caller with(Roles roles, Sites sites = {}) {
  Caller caller;
  caller.kind = Caller::Kind::user;
  caller.id = "usr_1";
  caller.name = "ann";
  caller.roles = roles;
  caller.sites = std::move(sites);
  return caller;
}
SiteId site(std::uint8_t n) {
  return SiteId{Ulid{1, n}};
}
const Sites kOne = std::vector<SiteId>{site(1)};
const Sites kNone = std::vector<SiteId>{};

TEST(Authz, EveryPermissionAnswersEveryRoleAsTheContractSays) {
  for (const api::PermissionRow& row : api::kPermissionTable) {
    for (std::size_t i = 0; i < kRoles; ++i) {
      const auto role = static_cast<Role>(i);
      const bool granted =
          ("," + std::string(row.roles) + ",").contains("," + std::string(name_of(role)) + ",");
      const Status answer = require(with({role}), row.name);
      EXPECT_EQ(answer.has_value(), granted) << row.name << " " << name_of(role);
      if (!granted) {
        EXPECT_EQ(answer.error().code, Code::forbidden);
        EXPECT_EQ(answer.error().permission, row.name);
      }
      const Status limited = require(with({role}, kOne), row.name);
      EXPECT_EQ(limited.has_value(), granted && row.scope != api::PermissionScope::server)
          << row.name;
    }
    EXPECT_EQ(require(with({}), row.name).error().code, Code::forbidden);
    EXPECT_EQ(require(Caller{}, row.name).error().code, Code::unauthenticated);
    EXPECT_TRUE(require(Caller::system(), row.name));
    EXPECT_EQ(require(Caller::device(DeviceId{}), row.name).error().code, Code::forbidden);
  }
}

TEST(Authz, RolesAddUp) {
  const Caller both = with({Role::technician, Role::auditor});
  EXPECT_TRUE(require(both, "device.write"));
  EXPECT_TRUE(require(both, "audit.read"));
  EXPECT_FALSE(require(both, "backup.run"));
}

TEST(Authz, AnUnknownPermissionIsABug) {
  EXPECT_EQ(require(with({Role::administrator}), "device.fly").error().code, Code::internal);
  EXPECT_EQ(site_filter(with({}), "device.fly", "site_id").error().code, Code::internal);
}

TEST(Authz, SitesLimitWhatLiesInSites) {
  const Caller ann = with({Role::operator_}, kOne);
  EXPECT_TRUE(require_at(ann, "device.write", site(1)));
  EXPECT_EQ(require_at(ann, "device.write", site(2)).error().code, Code::forbidden);
  EXPECT_EQ(require_at(ann, "device.write", std::nullopt).error().code, Code::forbidden);
  EXPECT_TRUE(require_at(ann, "type.read", std::nullopt));
  EXPECT_TRUE(require_at(with({Role::operator_}), "device.write", std::nullopt));
  EXPECT_EQ(require(with({Role::operator_}, kNone), "device.read").error().code, Code::forbidden);
  EXPECT_TRUE(require(with({Role::operator_}, kNone), "self.read"));
}

TEST(Authz, ElsewhereAndNowhereAnswerAlikeToTheLimited) {
  const Caller ann = with({Role::viewer}, kOne);
  const Error elsewhere = require_at(ann, "device.read", site(2)).error();
  const Error nowhere = refuse_missing(ann, "device.read", "there is no dev_X");
  EXPECT_EQ(elsewhere, nowhere);
  EXPECT_EQ(refuse_missing(with({Role::viewer}), "device.read", "no dev_X").code, Code::not_found);
  EXPECT_EQ(refuse_missing(ann, "type.read", "no typ_X").code, Code::not_found);
}

TEST(Authz, ListsAreFiltered) {
  EXPECT_EQ(site_filter(with({Role::viewer}), "device.read", "d.site_id")->sql, "TRUE");
  EXPECT_EQ(site_filter(with({Role::viewer}, kNone), "device.read", "d.site_id")->sql, "FALSE");
  const auto two = site_filter(with({Role::viewer}, std::vector<SiteId>{site(1), site(2)}),
                               "device.read", "d.site_id");
  EXPECT_EQ(two->sql, "d.site_id IN (?,?)");
  EXPECT_EQ(two->params.size(), 2U);
  EXPECT_EQ(site_filter(with({Role::viewer}, kOne), "audit.read", "x").error().code,
            Code::forbidden);
  EXPECT_EQ(site_filter(with({Role::auditor}, kOne), "audit.read", "x").error().permission,
            "audit.read");
  EXPECT_EQ(site_filter(with({Role::viewer}, kOne), "type.read", "x")->sql, "TRUE");
}

TEST(Authz, PermissionsOfACallerAreListed) {
  const auto held = permissions_of(with({Role::viewer}));
  EXPECT_TRUE(std::ranges::is_sorted(held));
  EXPECT_TRUE((std::ranges::find(held, "device.read") != held.end()));
  EXPECT_FALSE((std::ranges::find(held, "device.write") != held.end()));
  EXPECT_EQ(permissions_of(with({Role::administrator})).size(), all_permissions().size());
}

TEST(Authz, AnApiTokenIsHeldToItsUsersRoles) {
  Caller token = with({Role::administrator});
  token.kind = Caller::Kind::api;
  token.owner_roles = Roles{Role::technician};
  EXPECT_EQ(permissions_of(token), permissions_of(with({Role::technician})));
  token.roles = Roles{Role::auditor};
  EXPECT_FALSE(require(token, "audit.read"));
  EXPECT_TRUE(require(token, "device.read")) << "both grant it";
}

TEST(Authz, GrantsAreCompared) {
  EXPECT_TRUE(grants_within({Role::viewer}, {Role::administrator}));
  EXPECT_TRUE(grants_within({Role::viewer}, {Role::technician}));
  EXPECT_FALSE(grants_within({Role::auditor}, {Role::operator_}));
  EXPECT_TRUE(grants_within({}, {}));
}

TEST(Authz, EveryOperationsPermissionExists) {
  const auto all = all_permissions();
  for (const api::OperationRow& row : api::kOperationTable) {
    if (row.permission.empty()) continue;
    EXPECT_TRUE((std::ranges::find(all, row.permission) != all.end())) << row.id;
  }
}

TEST(Authz, RolesAndSitesAsText) {
  const Roles roles{Role::administrator, Role::viewer};
  EXPECT_EQ(roles_text(roles), "viewer,administrator");
  EXPECT_EQ(parse_roles("administrator,viewer"), roles);
  EXPECT_EQ(parse_roles(""), Roles{});
  EXPECT_EQ(parse_roles("viewer,emperor").error().code, Code::invalid_argument);
  EXPECT_TRUE(Roles{Role::viewer}.within(roles));
  EXPECT_FALSE(roles.within({Role::viewer}));
  EXPECT_EQ((roles & Roles{Role::viewer, Role::auditor}), Roles{Role::viewer});

  EXPECT_EQ(sites_text(Sites{}), std::nullopt);
  EXPECT_EQ(sites_text(kNone), "");
  const Sites two = std::vector<SiteId>{site(1), site(2)};
  EXPECT_EQ(*parse_sites(sites_text(two)), two);
  EXPECT_EQ(*parse_sites(sites_text(kNone)), kNone);
  EXPECT_EQ(*parse_sites(std::nullopt), Sites{});
  EXPECT_FALSE(parse_sites("site_bad"));
}

TEST(Authz, SitesIntersect) {
  const Sites two = std::vector<SiteId>{site(1), site(2)};
  const Sites other = std::vector<SiteId>{site(2), site(3)};
  EXPECT_EQ(intersect({}, {}), Sites{});
  EXPECT_EQ(intersect(two, {}), two);
  EXPECT_EQ(intersect({}, two), two);
  EXPECT_EQ(intersect(two, other), Sites(std::vector<SiteId>{site(2)}));
  EXPECT_EQ(intersect(two, kNone), kNone);
}

}  // namespace
}  // namespace holdfast::core
