#include "web/tls.h"

#include <utility>

#include <openssl/ssl.h>

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

}  // namespace

Result<void> Tls::load() {
  auto fresh = std::make_shared<ssl::context>(ssl::context::tls_server);
  // what is older is broken; of what is left only ciphers with forward secrecy are offered
  SSL_CTX_set_min_proto_version(fresh->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(fresh->native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  fresh->set_options(ssl::context::no_compression | SSL_OP_NO_RENEGOTIATION);
  error_code error;
  fresh->use_certificate_chain_file(files_.certificate, error);
  if (error) {
    return unusable("certificate", error.message(), files_.certificate);
  }
  fresh->use_private_key_file(files_.key, ssl::context::pem, error);
  if (error) {
    return unusable("key", error.message(), files_.key);
  }
  if (SSL_CTX_check_private_key(fresh->native_handle()) != 1) {
    return unusable("key", "it is not the key of the certificate in " + files_.certificate,
                    files_.key);
  }
  context_ = std::move(fresh);
  return {};
}

}  // namespace runbookd::web
