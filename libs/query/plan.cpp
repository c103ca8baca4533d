#include "libs/query/plan.hpp"

#include <algorithm>

namespace holdfast::query {
namespace {

constexpr std::int64_t kCanonicalMax = 9'007'199'254'740'992;  // 2^53

Need need_of(std::vector<Need> of, Need::Kind kind) {
  if (kind == Need::Kind::both) {
    std::erase_if(of, [](const Need& part) { return part.anything(); });
  } else if (std::ranges::any_of(of, &Need::anything)) {
    return {};
  }
  if (of.empty()) return {};
  if (of.size() == 1) return Need(of[0]);
  Need out;
  out.kind = kind;
  out.of = std::move(of);
  return out;
}

Need hash_need(std::uint64_t hash) {
  Need out;
  out.kind = Need::Kind::term;
  out.hash = hash;
  return out;
}

// The words that a text holding `term.text` surely has as whole words.
Need words_need(const Term& term) {
  std::vector<Need> of;
  const std::string_view text = term.text;
  each_word(text, [&](std::string_view word) {
    const auto start = static_cast<std::size_t>(word.data() - text.data());
    const std::size_t end = start + word.size();
    // A dot at the edge may join the word to a digit beyond it.
    const bool cut_front = term.open_start && (start == 0 || (start == 1 && text[0] == '.'));
    const bool cut_back =
        term.open_end && (end == text.size() || (end + 1 == text.size() && text[end] == '.'));
    if (!cut_front && !cut_back) of.push_back(hash_need(word_hash(word)));
  });
  return need_of(std::move(of), Need::Kind::both);
}

Need net_need(const Net& net) {
  const std::array<std::size_t, 3> wholes =
      net.bytes == 4 ? std::array<std::size_t, 3>{3, 2, 1} : std::array<std::size_t, 3>{8, 6, 4};
  for (const std::size_t whole : wholes) {
    if (net.length >= whole * 8)
      return hash_need(net_hash(net.address.data(), whole, net.bytes == 16));
  }
  return {};
}

bool is_text(const Term& term) {
  return (term.op == Op::has || term.op == Op::equal) && !term.exists;
}

Need term_need(const Term& term) {
  if (term.device) return hash_need(device_hash(*term.device));
  const Builtin builtin = builtin_of(term.field);
  if (!is_text(term) || builtin == Builtin::severity || builtin == Builtin::time ||
      builtin == Builtin::received)
    return {};
  // "1e3" finds 1000, and 5.0 finds 5.
  const bool other_spelling = builtin == Builtin::none && !term.field.empty() && term.number &&
                              (!term.integer || std::to_string(*term.integer) != term.text ||
                               std::max(*term.integer, -*term.integer) > kCanonicalMax);
  if (other_spelling) return {};
  if (!term.net) return words_need(term);
  return need_of({net_need(*term.net), words_need(term)}, Need::Kind::either);
}

std::size_t count_terms(const Need& need) {
  std::size_t out = need.kind == Need::Kind::term ? 1 : 0;
  for (const Need& part : need.of) out += count_terms(part);
  return out;
}

std::string how_of(const Term& term) {
  if (term.severity) return "roll-ups and block heads tell the severity";
  if (builtin_of(term.field) == Builtin::time) return "roll-ups and block heads tell the time";
  if (term.device) return "only the device's own blocks";
  const std::size_t terms = count_terms(term_need(term));
  if (terms == 0) return "scan, newest first: no filter helps";
  return "token filter, " + std::to_string(terms) + (terms == 1 ? " term" : " terms") +
         (term.open_start || term.open_end ? ", then a scan of what is left" : "");
}

struct Bounds {
  std::int64_t from = INT64_MIN, to = INT64_MAX;
  std::uint8_t severities = 0x3F;
  std::optional<std::vector<Ulid>> devices;
};

Bounds term_bounds(const Term& term) {
  Bounds out;
  if (term.device) out.devices.emplace(1, *term.device);
  if (term.severity) {
    out.severities = 0;
    for (int severity = 0; severity < 6; ++severity) {
      Document document;
      document.severity = severity;
      if (evaluate(term_node(term), document) == Truth::yes)
        out.severities |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(severity));
    }
  }
  if (!term.time || builtin_of(term.field) != Builtin::time) return out;
  const std::int64_t after = *term.time == INT64_MAX ? INT64_MAX : *term.time + 1;
  switch (term.op) {
    case Op::less:
      out.to = *term.time;
      break;
    case Op::less_equal:
      out.to = after;
      break;
    case Op::greater:
      out.from = after;
      break;
    case Op::greater_equal:
      out.from = *term.time;
      break;
    default:
      out.from = *term.time;
      out.to = after;
  }
  return out;
}

void narrow(Bounds& out, const Bounds& by) {
  out.from = std::max(out.from, by.from);
  out.to = std::min(out.to, by.to);
  out.severities &= by.severities;
  if (!by.devices) return;
  if (!out.devices) {
    out.devices = by.devices;
  } else {
    std::erase_if(*out.devices, [&](const Ulid& device) {
      return std::ranges::find(*by.devices, device) == by.devices->end();
    });
  }
}

void widen(Bounds& out, const Bounds& by) {
  out.from = std::min(out.from, by.from);
  out.to = std::max(out.to, by.to);
  out.severities |= by.severities;
  if (!by.devices || !out.devices) {
    out.devices.reset();
  } else {
    out.devices->insert(out.devices->end(), by.devices->begin(), by.devices->end());
  }
}

class Planner {
 public:
  Bounds look(const Node& node, Need& need, bool negated) {
    Bounds out;
    if (node.kind == Node::Kind::all) return out;
    if (node.kind == Node::Kind::term) {
      const Builtin builtin = builtin_of(node.term.field);
      const bool decided = builtin == Builtin::severity || builtin == Builtin::kind;
      rollups_decide = rollups_decide && decided;
      by_row = by_row || node.term.device || node.term.time;
      steps.push_back({(negated ? "NOT " : "") + to_text(node.term),
                       negated && !decided ? "checked event by event" : how_of(node.term)});
      if (negated) return out;
      need = term_need(node.term);
      return term_bounds(node.term);
    }
    const bool both = node.kind == Node::Kind::both;
    std::vector<Need> needs;
    for (std::size_t i = 0; i < node.of.size(); ++i) {
      Need part;
      const bool flip = negated || node.kind == Node::Kind::negated;
      const Bounds one = look(node.of[i], part, flip);
      needs.push_back(std::move(part));
      if (flip) continue;
      if (i == 0 || both) {
        narrow(out, one);
      } else {
        widen(out, one);
      }
    }
    if (!negated && node.kind != Node::Kind::negated)
      need = need_of(std::move(needs), both ? Need::Kind::both : Need::Kind::either);
    return out;
  }
  bool rollups_decide = true;
  bool by_row = false;
  std::vector<Plan::Step> steps;
};

// What every IPv4 address of the net begins with, up to a dot.
std::string start_of(const Net& net) {
  std::string out;
  if (net.bytes == 16) return out;
  for (std::size_t i = 0; i < net.length / 8U && i < 3; ++i)
    out += std::to_string(net.address[i]) + ".";
  return out;
}

void find_literal(const Node& node, std::string& out) {
  if (node.kind == Node::Kind::both) {
    for (const Node& part : node.of) find_literal(part, out);
  }
  if (node.kind != Node::Kind::term || !is_text(node.term) || node.term.device ||
      node.term.severity || node.term.time)
    return;
  const std::string text = node.term.net ? start_of(*node.term.net) : node.term.text;
  // Characters of numbers, true, false, null; at most one dot is among them.
  const bool like_number = text.find_first_not_of("0123456789+-.einftruals") == std::string::npos &&
                           std::ranges::count(text, '.') < 2;
  if (!like_number && text.size() > out.size()) out = text;
}

}  // namespace

Plan plan(const Node& node) {
  Planner planner;
  Plan out;
  const Bounds bounds = planner.look(node, out.need, false);
  out.from = bounds.from;
  out.to = bounds.to;
  out.severities = bounds.severities;
  out.devices = bounds.devices;
  if (out.devices) {
    std::ranges::sort(*out.devices);
    const auto same = std::ranges::unique(*out.devices);
    out.devices->erase(same.begin(), same.end());
  }
  out.rollups_decide = planner.rollups_decide;
  out.by_row = planner.by_row;
  find_literal(node, out.literal);
  out.steps = std::move(planner.steps);
  return out;
}

}  // namespace holdfast::query
