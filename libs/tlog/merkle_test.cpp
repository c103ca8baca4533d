#include "libs/tlog/merkle.hpp"

#include <gtest/gtest.h>

namespace holdfast::tlog {
namespace {

// The leaves and roots that Certificate Transparency's implementations are tested with.
const std::vector<std::string> kLeaves{"",
                                       "00",
                                       "10",
                                       "2021",
                                       "3031",
                                       "40414243",
                                       "5051525354555657",
                                       "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kRoots{
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<Hash> leaves(std::size_t count) {
  std::vector<Hash> out;
  for (std::size_t i = 0; i < count; ++i) {
    Bytes entry;
    store_be(entry, static_cast<std::uint64_t>(i));
    out.push_back(leaf_hash(entry));
  }
  return out;
}

// MTH by the definition.
Hash naive(const std::vector<Hash>& all, std::size_t begin, std::size_t end) {
  if (begin == end) return empty_root();
  if (end - begin == 1) return all[begin];
  std::size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  return node_hash(naive(all, begin, begin + split), naive(all, begin + split, end));
}
NodeReader reader(const std::vector<Hash>& all) {
  return [&all](unsigned level, std::uint64_t index) -> Result<Hash> {
    const std::size_t begin = index << level;
    const std::size_t end = (index + 1) << level;
    if (end > all.size()) return fail(Code::internal, "not a complete node");
    return naive(all, begin, end);
  };
}

TEST(Merkle, RootsAreThoseOfCertificateTransparency) {
  EXPECT_EQ(to_hex(empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Edge edge;
  EXPECT_EQ(edge.root(), empty_root());
  for (std::size_t i = 0; i < kLeaves.size(); ++i) {
    edge.append(leaf_hash(*from_hex(kLeaves[i])));
    EXPECT_EQ(to_hex(edge.root()), kRoots[i]);
    EXPECT_EQ(edge.size(), i + 1);
  }
}

TEST(Merkle, AllWaysToARootAgree) {
  const auto all = leaves(70);
  Edge edge;
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const std::vector<Hash> prefix(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(edge.root(), naive(all, 0, size));
    EXPECT_EQ(*root_of(size, reader(prefix)), edge.root());
    if (size < all.size()) edge.append(all[size]);
  }
}

TEST(Merkle, EveryLeafIsProvenInEveryTree) {
  const auto all = leaves(40);
  for (std::size_t size = 1; size <= all.size(); ++size) {
    const Hash root = naive(all, 0, size);
    for (std::size_t index = 0; index < size; ++index) {
      auto path = *inclusion_path(index, size, reader(all));
      EXPECT_EQ(*root_from_path(all[index], index, size, path), root);
      // Anything else leads elsewhere.
      const auto other = root_from_path(all[(index + 1) % all.size()], index, size, path);
      EXPECT_NE(other.value_or(Hash{}), root);
      EXPECT_NE(root_from_path(all[index], (index + 1) % size, size, path).value_or(Hash{}),
                size == 1 ? Hash{} : root);
      if (!path.empty()) {
        path.front()[0] ^= 1;
        EXPECT_NE(*root_from_path(all[index], index, size, path), root);
        path.pop_back();
        EXPECT_NE(root_from_path(all[index], index, size, path).value_or(Hash{}), root);
      }
      path.resize(path.size() + 2);
      EXPECT_FALSE(root_from_path(all[index], index, size, path).value_or(Hash{}) == root);
    }
  }
  EXPECT_EQ(inclusion_path(5, 5, reader(all)).error().code, Code::invalid_argument);
  EXPECT_EQ(root_from_path(all[0], 5, 5, {}).error().code, Code::corrupt);
}

TEST(Merkle, EveryTreeBeginsWithEveryOlderOne) {
  const auto all = leaves(33);
  for (std::size_t size = 1; size <= all.size(); ++size) {
    const Hash root = naive(all, 0, size);
    for (std::size_t old_size = 0; old_size <= size; ++old_size) {
      const Hash old_root = naive(all, 0, old_size);
      auto path = *consistency_path(old_size, size, reader(all));
      EXPECT_TRUE(consistent(old_size, old_root, size, root, path)) << old_size << " in " << size;
      Hash wrong = old_root;
      wrong[31] ^= 1;
      EXPECT_FALSE(consistent(old_size, wrong, size, root, path));
      wrong = root;
      wrong[0] ^= 1;
      if (old_size > 0) {  // every tree begins with the empty one
        EXPECT_FALSE(consistent(old_size, old_root, size, wrong, path))
            << old_size << " in " << size;
      }
      path.push_back(root);
      EXPECT_FALSE(consistent(old_size, old_root, size, root, path));
    }
  }
  EXPECT_EQ(consistency_path(5, 4, reader(all)).error().code, Code::invalid_argument);
  EXPECT_FALSE(consistent(5, all[0], 4, all[0], {}));
}

}  // namespace
}  // namespace holdfast::tlog
