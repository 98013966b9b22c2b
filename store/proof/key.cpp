#include "store/proof/key.h"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "planner/digest.h"
#include "store/file.h"

namespace runbookd::store {
namespace {

using planner::Result;

constexpr std::size_t key_size = 32, signature_size = 64, id_size = 4;
constexpr char ed25519 = 1;  // the kind of key, in signed notes
constexpr auto only_owner = 0600;

[[noreturn]] void no_ed25519() {
  throw std::runtime_error("OpenSSL cannot use Ed25519 on this machine");
}

unsigned char const* bytes_of(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::string pem_of(EVP_PKEY* key) {
  Bio const bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    no_ed25519();
  char* text = nullptr;
  auto const size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

tl::unexpected<planner::Error> not_usable(std::string const& path, std::string const& why,
                                          std::string next) {
  return refused("the key that signs the audit, " + path + ", cannot be used: " + why,
                 std::move(next));
}

// Whole and synced before it has its name: whoever dies in between leaves no half a key.
Result<void> write_key(std::string const& path, std::string const& text) {
  auto const unfinished = path + ".new";
  Descriptor const file(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, only_owner));
  bool const written = file.number() >= 0 && ::fchmod(file.number(), only_owner) == 0 &&
                       ::write(file.number(), text.data(), text.size()) == std::ssize(text) &&
                       ::fsync(file.number()) == 0 &&
                       std::rename(unfinished.c_str(), path.c_str()) == 0;
  if (!written)
    return not_usable(path, "it cannot be written: " + reason(errno), "ls -ld '" + path + "'*");
  return sync_folder_of(path);
}

}  // namespace

// ---- spelling

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (auto const c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4U];
    text += digits[byte & 0x0FU];
  }
  return text;
}

std::string to_base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  auto const size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                    static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() + 1, '\0');
  auto const size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text),
                                    static_cast<int>(text.size()));
  if (size < 0)
    return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
    ++padding;
  }
  bytes.resize(static_cast<std::size_t>(size) - std::min<std::size_t>(padding, size));
  return to_base64(bytes) == text ? std::optional(std::move(bytes)) : std::nullopt;
}

std::optional<std::string> from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    auto const high = hex_digit(text[i]);
    auto const low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return text.size() % 2 == 0 ? std::optional(std::move(bytes)) : std::nullopt;
}

// ---- the public half

VerifierKey verifier_key(std::string name, std::string bytes) {
  auto const hash = planner::sha256_hex(name + '\n' + ed25519 + bytes);
  auto id = *from_hex(std::string_view(hash).substr(0, 2 * id_size));
  return {.name = std::move(name), .id = std::move(id), .bytes = std::move(bytes)};
}

std::string to_text(VerifierKey const& key) {
  return key.name + '+' + to_hex(key.id) + '+' + to_base64(ed25519 + key.bytes);
}

std::optional<VerifierKey> read_verifier_key(std::string_view text) {
  auto const first = text.find('+');
  auto const second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos)
    return std::nullopt;
  auto const bytes = from_base64(text.substr(second + 1));
  if (!bytes || bytes->size() != key_size + 1 || bytes->front() != ed25519)
    return std::nullopt;
  auto key = verifier_key(std::string(text.substr(0, first)), bytes->substr(1));
  return to_text(key) == text ? std::optional(std::move(key)) : std::nullopt;
}

bool is_signed_by(VerifierKey const& key, std::string_view text, std::string_view signature) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const half(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(key.bytes), key.bytes.size()),
      &EVP_PKEY_free);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  return half && signature.size() == signature_size &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, half.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                          text.size()) == 1;
}

// ---- the secret half

void SigningKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

SigningKey::SigningKey(Key key, std::string name) : key_(std::move(key)) {
  std::string bytes(key_size, '\0');
  auto size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                                  &size) != 1)
    no_ed25519();
  verifier_ = verifier_key(std::move(name), std::move(bytes));
}

SigningKey::Key SigningKey::fresh() {
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key)
    no_ed25519();
  return key;
}

Result<SigningKey> SigningKey::make(std::string name) {
  return SigningKey(fresh(), std::move(name));
}

Result<SigningKey> SigningKey::load_or_make(std::string const& path, std::string name) {
  Descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0 && errno == ENOENT) {
    auto key = fresh();
    return write_key(path, pem_of(key.get())).map([&] {
      return SigningKey(std::move(key), std::move(name));
    });
  }
  struct stat facts{};
  if (file.number() < 0 || ::fstat(file.number(), &facts) != 0)
    return not_usable(path, reason(errno), "ls -l '" + path + "'");
  if ((facts.st_mode & 077U) != 0)
    return not_usable(path, "others may read or change it", "chmod 600 '" + path + "'");
  std::array<char, 4096> text{};
  auto const size = ::read(file.number(), text.data(), text.size());
  Bio const bio(BIO_new_mem_buf(text.data(), static_cast<int>(std::max<ssize_t>(size, 0))));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_is_a(key.get(), "ED25519") != 1)
    return not_usable(path, "it is no Ed25519 key in PEM form",
                      "put it back from a backup; without it: mv '" + path + "' '" + path +
                          ".old', and a new key is made");
  return SigningKey(std::move(key), std::move(name));
}

std::string SigningKey::sign(std::string_view text) const {
  std::string signature(signature_size, '\0');
  auto size = signature.size();
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(text), text.size()) != 1)
    no_ed25519();
  return signature;
}

}  // namespace runbookd::store
