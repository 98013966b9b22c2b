#include "web/tls.h"

#include <utility>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

namespace runbookd::web {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using planner::Error;
using planner::ErrorCode;
using planner::Result;

namespace {

tl::unexpected<Error> unusable(std::string const& what, std::string const& why,
                               std::string const& file) {
  return tl::unexpected(Error{.code = ErrorCode::malformed,
                              .detail = "the " + what + " in " + file + " cannot be used: " + why,
                              .next = "openssl x509 -noout -subject -dates -in '" + file + "'"});
}

using ContextPtr = std::shared_ptr<ssl::context>;

Result<ContextPtr> context_of(TlsFiles const& files) {
  auto fresh = std::make_shared<ssl::context>(ssl::context::tls_server);
  // what is older is broken; of what is left only ciphers with forward secrecy are offered
  SSL_CTX_set_min_proto_version(fresh->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(fresh->native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  fresh->set_options(ssl::context::no_compression | SSL_OP_NO_RENEGOTIATION);
  error_code error;
  fresh->use_certificate_chain_file(files.certificate, error);
  if (error) {
    return unusable("certificate", error.message(), files.certificate);
  }
  fresh->use_private_key_file(files.key, ssl::context::pem, error);
  if (error) {
    return unusable("key", error.message(), files.key);
  }
  if (SSL_CTX_check_private_key(fresh->native_handle()) != 1) {
    return unusable("key", "it is not the key of the certificate in " + files.certificate,
                    files.key);
  }
  return fresh;
}

Result<void> expect_own(std::string const& key) {
  struct stat facts{};
  constexpr mode_t for_others = S_IROTH | S_IWOTH | S_IWGRP;
  if (stat(key.c_str(), &facts) == 0 && (facts.st_mode & for_others) != 0) {
    return tl::unexpected(Error{
        .code = ErrorCode::malformed,
        .detail =
            "the key in " + key + " is no secret: others on this machine may read or write it",
        .next = "chmod 600 '" + key + "'; if it lay open for long, make a new one"});
  }
  return {};
}

Result<void> expect_in_force(ContextPtr const& context, std::string const& file) {
  auto const* const shown = SSL_CTX_get0_certificate(context->native_handle());
  if (shown != nullptr && X509_cmp_current_time(X509_get0_notAfter(shown)) < 0) {
    return unusable("certificate", "it has expired", file);
  }
  return {};
}

}  // namespace

Result<void> expect_good(TlsFiles const& files) {
  return context_of(files).and_then([&](ContextPtr const& context) {
    return expect_in_force(context, files.certificate).and_then([&] {
      return expect_own(files.key);
    });
  });
}

Result<void> Tls::load() {
  return context_of(files_).map([this](ContextPtr const& fresh) { context_ = fresh; });
}

}  // namespace runbookd::web
