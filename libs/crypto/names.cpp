#include "libs/crypto/names.hpp"

#include <arpa/inet.h>

namespace holdfast::crypto {
namespace {

constexpr std::string_view kOidCommonName = "2.5.4.3";
constexpr std::string_view kOidSerialNumber = "2.5.4.5";
constexpr std::string_view kOidOrganisation = "2.5.4.10";

struct AttributeRow {
  std::string_view oid, shown;
};
constexpr AttributeRow kAttributes[] = {
    {kOidCommonName, "CN"},
    {kOidOrganisation, "O"},
    {kOidSerialNumber, "serialNumber"},
    {"2.5.4.11", "OU"},
    {"2.5.4.6", "C"},
    {"2.5.4.7", "L"},
    {"2.5.4.8", "ST"},
    {"1.2.840.113549.1.9.1", "emailAddress"},
    {"0.9.2342.19200300.100.1.25", "DC"},
    {"0.9.2342.19200300.100.1.1", "UID"},
};

std::string_view shown_of(std::string_view oid) {
  for (const AttributeRow& row : kAttributes) {
    if (row.oid == oid) return row.shown;
  }
  return oid;
}

void put_escaped(std::string& out, std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool edge_blank = c == ' ' && (i == 0 || i + 1 == value.size());
    if (edge_blank || (c == '#' && i == 0) || std::string_view(",+\"\\<>;=").contains(c)) {
      out.push_back('\\');
    }
    out.push_back(c);
  }
}

Bytes put_attribute(std::string_view oid, std::string_view value) {
  const Bytes pair =
      der::sequence({der::put_oid(oid), der::wrap(der::kUtf8String, view_of(value))});
  return der::wrap(der::kSet, pair);
}

// IA5String that a name may be: printable ASCII without blanks.
bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~') return false;
  }
  return !text.empty();
}

Result<std::string> plain_text(View content, std::string_view what) {
  std::string text = string_of(content);
  if (!is_plain(text)) {
    return fail(Code::invalid_argument,
                std::string(what) + " in subjectAltName is not plain ASCII");
  }
  return text;
}

std::unexpected<Error> bad_name(std::string_view kind, std::string_view name) {
  return fail(Code::invalid_argument, "\"" + std::string(name.substr(0, 80)) + "\" is no " +
                                          std::string(kind) + " for a certificate");
}

}  // namespace

Result<DistinguishedName> parse_name(View name_der) {
  der::Reader outer(name_der);
  der::Reader name = TRY(outer.enter(der::kSequence, "Name"));
  TRY(outer.end("Name"));
  DistinguishedName out;
  for (std::size_t count = 0; !name.done();) {
    der::Reader set = TRY(name.enter(der::kSet, "RelativeDistinguishedName"));
    const char* joint = ", ";
    do {
      if (++count > kNameAttributesMax) {
        return fail(Code::invalid_argument, "a name has too many attributes");
      }
      der::Reader pair = TRY(set.enter(der::kSequence, "AttributeTypeAndValue"));
      const std::string oid = TRY(der::oid_text(TRY(pair.take(der::kOid, "type"))));
      const std::string value = TRY(der::text(TRY(pair.next())));
      TRY(pair.end("AttributeTypeAndValue"));
      if (!out.text.empty()) out.text += joint;
      out.text += shown_of(oid);
      out.text.push_back('=');
      put_escaped(out.text, value);
      if (oid == kOidCommonName) out.common_name = value;
      if (oid == kOidSerialNumber) out.serial_number = value;
      joint = " + ";
    } while (!set.done());
  }
  return out;
}

Bytes put_name(std::string_view common_name, std::string_view organisation,
               std::string_view serial_number) {
  Bytes attributes;
  if (!common_name.empty()) append(attributes, put_attribute(kOidCommonName, common_name));
  if (!organisation.empty()) append(attributes, put_attribute(kOidOrganisation, organisation));
  if (!serial_number.empty()) append(attributes, put_attribute(kOidSerialNumber, serial_number));
  return der::wrap(der::kSequence, attributes);
}

Result<AlternativeNames> parse_alternative_names(View general_names_der) {
  der::Reader outer(general_names_der);
  der::Reader names = TRY(outer.enter(der::kSequence, "GeneralNames"));
  TRY(outer.end("GeneralNames"));
  AlternativeNames out;
  for (std::size_t count = 0; !names.done(); ++count) {
    if (count == kAlternativeNamesMax) {
      return fail(Code::invalid_argument, "subjectAltName has too many names");
    }
    const der::Element one = TRY(names.next());
    switch (one.tag) {
      case der::context_tag(1):
        out.mails.push_back(TRY(plain_text(one.content, "a mail address")));
        break;
      case der::context_tag(2):
        out.dns.push_back(TRY(plain_text(one.content, "a DNS name")));
        break;
      case der::context_tag(6):
        out.uris.push_back(TRY(plain_text(one.content, "a URI")));
        break;
      case der::context_tag(7):
        if (one.content.size() != 4 && one.content.size() != 16) {
          return fail(Code::invalid_argument, "an address in subjectAltName has a wrong length");
        }
        out.addresses.push_back(address_text(one.content));
        break;
      default:
        ++out.others;
    }
  }
  return out;
}

Result<Bytes> put_alternative_names(const AlternativeNames& names) {
  if (names.others != 0) {
    return fail(Code::invalid_argument, "only DNS names, addresses, URIs and mail addresses");
  }
  if (names.dns.size() + names.addresses.size() + names.uris.size() + names.mails.size() >
      kAlternativeNamesMax) {
    return fail(Code::invalid_argument, "too many alternative names for a certificate");
  }
  Bytes out;
  for (const std::string& mail : names.mails) {
    if (!is_plain(mail) || !mail.contains('@')) return bad_name("mail address", mail);
    append(out, der::wrap(der::context_tag(1), view_of(mail)));
  }
  for (const std::string& dns : names.dns) {
    if (!is_dns_name(dns, true)) return bad_name("DNS name", dns);
    append(out, der::wrap(der::context_tag(2), view_of(dns)));
  }
  for (const std::string& uri : names.uris) {
    if (!is_plain(uri) || !uri.contains(':')) return bad_name("URI", uri);
    append(out, der::wrap(der::context_tag(6), view_of(uri)));
  }
  for (const std::string& address : names.addresses) {
    const auto bytes = address_bytes(address);
    if (!bytes) return bad_name("IP address", address);
    append(out, der::wrap(der::context_tag(7), *bytes));
  }
  return der::wrap(der::kSequence, out);
}

std::optional<Bytes> address_bytes(std::string_view text) {
  const std::string terminated(text);
  Bytes out(16);
  if (inet_pton(AF_INET, terminated.c_str(), out.data()) == 1) {
    out.resize(4);
    return out;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), out.data()) == 1) return out;
  return std::nullopt;
}

std::string address_text(View bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

bool is_dns_name(std::string_view name, bool wildcard) {
  if (wildcard && name.starts_with("*.")) {
    name.remove_prefix(2);
    if (!name.contains('.')) return false;  // never "*.com"
  }
  if (name.empty() || name.size() > 253) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i == name.size() || name[i] == '.') {
      if (label == 0 || label > 63 || name[i - 1] == '-') return false;
      label = 0;
      continue;
    }
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '_' && (c != '-' || label == 0)) return false;
    ++label;
  }
  return true;
}

}  // namespace holdfast::crypto
