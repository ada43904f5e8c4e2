// TestCertificates: an authority and what it has signed, made for one test in memory and written as
// PEM files into its directory. EC keys: making one takes no time.
#pragma once

#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "server/tls.h"

namespace larder::server {

class TestCertificates {
 public:
  // Files go to `directory`.
  explicit TestCertificates(std::string directory) : directory_(std::move(directory)) {
    authority_key_ = EVP_EC_gen("P-256");
    authority_ = Sign("authority", authority_key_, 365, "CA:TRUE", "");
    WriteCertificate("authority.pem", authority_);
  }
  ~TestCertificates() {
    X509_free(authority_);
    EVP_PKEY_free(authority_key_);
  }
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  std::string authority() const { return File("authority.pem"); }
  std::string File(const std::string& name) const { return directory_ + "/" + name; }

  // NAME.pem and NAME.key, for 127.0.0.1 and localhost; replaces what is there.
  TlsOptions Make(const std::string& name, int days = 30) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = Sign(name, key, days, "CA:FALSE", "IP:127.0.0.1,DNS:localhost");
    WriteCertificate(name + ".pem", certificate);
    BIO* const file = BIO_new_file(File(name + ".key").c_str(), "w");
    EXPECT_EQ(PEM_write_bio_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    BIO_free(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return {.certificate = File(name + ".pem"), .key = File(name + ".key"), .client_ca = ""};
  }

 private:
  static void Extend(X509* certificate, int kind, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    EXPECT_NE(extension, nullptr) << value;
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  X509* Sign(const std::string& name, EVP_PKEY* key, int days, const char* constraints,
             const std::string& names) {
    X509* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(made), -100L * 24 * 3600);
    X509_gmtime_adj(X509_getm_notAfter(made), days * 24L * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(authority_ == nullptr ? made : authority_));
    X509_set_pubkey(made, key);
    Extend(made, NID_basic_constraints, constraints);
    if (!names.empty()) Extend(made, NID_subject_alt_name, names.c_str());
    EXPECT_GT(X509_sign(made, authority_key_, EVP_sha256()), 0);
    return made;
  }

  void WriteCertificate(const std::string& name, X509* certificate) const {
    BIO* const file = BIO_new_file(File(name).c_str(), "w");
    EXPECT_EQ(PEM_write_bio_X509(file, certificate), 1);
    BIO_free(file);
  }

  std::string directory_;
  EVP_PKEY* authority_key_ = nullptr;
  X509* authority_ = nullptr;
  int serial_ = 0;
};

}  // namespace larder::server
