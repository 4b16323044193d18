#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# seeds_x509.sh FOLDER - write seeds for fuzz_x509: small certificates made by the openssl program.
set -euo pipefail

folder=$1
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/all.cnf" <<'END'
[req]
distinguished_name = dn
x509_extensions = all
string_mask = MASK:0xffffffff
prompt = no
[dn]
C = US
O = Example, "Inc"
CN = example.org
emailAddress = a@example.org
[all]
basicConstraints = critical, CA:true, pathlen:3
keyUsage = critical, digitalSignature, keyCertSign
extendedKeyUsage = serverAuth, clientAuth, 1.2.3.4
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
certificatePolicies = 2.23.140.1.2.1, 1.2.3.4.5
authorityInfoAccess = OCSP;URI:http://o.example/, caIssuers;URI:http://c.example/
crlDistributionPoints = URI:http://l.example/1, URI:http://l.example/2
tlsfeature = status_request
subjectAltName = @san
1.3.6.1.4.1.11129.2.4.2 = ASN1:FORMAT:HEX,OCTETSTRING:000600040102030A
[san]
DNS.1 = example.org
DNS.2 = *.example.org
IP.1 = 192.0.2.1
IP.2 = 2001:db8::1
email.1 = a@example.org
URI.1 = https://example.org/
RID.1 = 1.2.3.4
otherName.1 = 1.3.6.1.4.1.311.20.2.3;UTF8:user@example.org
dirName.1 = dir
[dir]
C = DE
CN = inner
END

# name, key options, further options
make() {
    local name=$1 key=$2
    shift 2
    # shellcheck disable=SC2086
    openssl req -x509 -nodes -newkey $key -keyout "$work/key.pem" -outform DER \
        -out "$folder/$name" -set_serial 0x80ff0102030405060708 -days 400 "$@" 2>/dev/null
}
ec='ec -pkeyopt ec_paramgen_curve:prime256v1'
make all "$ec" -config "$work/all.cnf"
make utf8 "$ec" -utf8 -subj '/CN=Größe'
make plain 'ec -pkeyopt ec_paramgen_curve:secp521r1' -subj /CN=x
make explicit "$ec -pkeyopt ec_param_enc:explicit" -subj /CN=x
make ed25519 ed25519 -subj /CN=x
make rsa rsa:1024 -subj /CN=x
make pss 'rsa-pss -pkeyopt rsa_keygen_bits:1024' -subj /CN=x
