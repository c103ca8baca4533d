#include "server/hub/payloads.hpp"

#include <gtest/gtest.h>

namespace holdfast::hub {
namespace {

Code hello_code(std::string_view text) {
  const auto parsed = parse_hello(view_of(text));
  return parsed ? Code::internal : parsed.error().code;
}
Code inventory_code(std::string_view text) {
  const auto parsed = parse_inventory(view_of(text));
  return parsed ? Code::internal : parsed.error().code;
}

TEST(Payloads, hello) {
  const auto parsed = parse_hello(view_of(
      R"({"version":"holdfast-agent 1.0.0","protocol":1,"capabilities":["command"],"agent":{"platform":"x"},"later":[1]})"));
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_TRUE(parsed->get_object().contains("later"));  // what is not known is kept
  EXPECT_TRUE(parse_hello(view_of(R"({"version":"x","protocol":2})")));
}

TEST(Payloads, hello_that_is_none) {
  const std::string long_version = R"({"protocol":1,"version":")" + std::string(129, 'x') + "\"}";
  std::string many = R"({"version":"x","protocol":1,"capabilities":["a")";
  for (int i = 0; i < 64; ++i) many += ",\"a\"";
  many += "]}";
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("1"), std::string("{}"), std::string("{"),
        std::string(R"({"version":"x"})"), std::string(R"({"version":1,"protocol":1})"),
        std::string(R"({"version":"x","protocol":0})"),
        std::string(R"({"version":"x","protocol":1.5})"),
        std::string(R"({"version":"x","protocol":1,"agent":[]})"),
        std::string(R"({"version":"x","protocol":1,"capabilities":{}})"),
        std::string(R"({"version":"x","protocol":1,"capabilities":[1]})"), long_version, many}) {
    EXPECT_EQ(hello_code(text), Code::payload_malformed) << text;
  }
}

TEST(Payloads, an_error_names_the_member) {
  EXPECT_EQ(parse_hello(view_of(R"({"version":"x","protocol":1,"capabilities":["a",1]})"))
                .error()
                .pointer,
            "/capabilities/1");
  EXPECT_EQ(
      parse_inventory(view_of(R"({"components":[{"name":"os","version":"1","digest":"md5:1"}]})"))
          .error()
          .pointer,
      "/components/0/digest");
}

TEST(Payloads, inventory) {
  EXPECT_TRUE(parse_inventory(view_of("{}")));
  EXPECT_TRUE(parse_inventory(view_of(
      R"({"components":[{"name":"os","version":"12","digest":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}],)"
      R"("network":[{"name":"eth0","mac":"02:00:5e:10:00:01","addresses":["192.0.2.7/24"]}],"hardware":{"cores":4},"os":{"name":"x"}})")));
}

TEST(Payloads, inventory_that_is_none) {
  std::string many = R"({"network":[{"name":"a"})";
  for (int i = 0; i < 64; ++i) many += R"(,{"name":"a"})";
  many += "]}";
  for (const std::string& text :
       {std::string("[]"), std::string(R"({"components":{}})"),
        std::string(R"({"components":[1]})"), std::string(R"({"components":[{"name":"os"}]})"),
        std::string(R"({"components":[{"name":"os","version":1}]})"),
        std::string(R"({"network":[{}]})"),
        std::string(R"({"network":[{"name":"a","addresses":[1]}]})"),
        std::string(R"({"network":[{"name":"a","mac":1}]})"), std::string(R"({"hardware":1})"),
        std::string(R"({"os":[]})"), many}) {
    EXPECT_EQ(inventory_code(text), Code::payload_malformed) << text;
  }
}

TEST(Payloads, the_last_of_two_members_counts_and_depth_is_bounded) {
  EXPECT_TRUE(parse_hello(view_of(R"({"version":1,"version":"x","protocol":1})")));
  std::string deep = R"({"version":"x","protocol":1,"agent":{"a":)";
  for (int i = 0; i < 20; ++i) deep += '[';
  for (int i = 0; i < 20; ++i) deep += ']';
  EXPECT_EQ(hello_code(deep + "}}"), Code::payload_malformed);
}

}  // namespace
}  // namespace holdfast::hub
