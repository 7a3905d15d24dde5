#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H
// Only what is current in OpenSSL 3: a deprecated call does not compile.
#define OPENSSL_API_COMPAT 30000
#define OPENSSL_NO_DEPRECATED 1
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

// Function-like macros and variadic functions are not imported by Swift.
static inline void kpi_openssl_clear_free(void *pointer, size_t size) { OPENSSL_clear_free(pointer, size); }
static inline EVP_PKEY *kpi_rsa_generate(unsigned int bits) { return EVP_RSA_gen(bits); }
#endif
