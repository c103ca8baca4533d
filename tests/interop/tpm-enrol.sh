#!/bin/sh
# Enrols by contract/device-protocol.md section 3.7 with tpm2-tools, openssl and curl alone.
#   tpm-enrol.sh FOLDER https://SERVER:8444 ROOT.pem TCTI [EK-CERTIFICATE.der [CHAIN.pem]]
# Leaves device.pem in FOLDER and prints the device id. STEP=... stops the honest way somewhere and lies:
#   wrong-name replay not-resident other-key
set -eu
script=$(realpath "$0"); cd "$1"; server=$2; ca=$3; export TPM2TOOLS_TCTI="$4"; ek_cert=${5:-}; chain=${6:-}; step=${STEP:-}
b64() { base64 -w0 < "$1"; }
member() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
flush() { tpm2_flushcontext -t; }
post() {  # post PATH BODY OUT
    code=$(curl -sS --cacert "$ca" -H 'Content-Type: application/json' --data-binary "@$2" -o "$3" -w '%{http_code}' "$server$1")
    case $code in 2??) ;; *) cat "$3"; echo; exit 9;; esac
}

tpm2_createek -Q -c ek.ctx -G rsa -u ek.pub; flush
tpm2_createak -Q -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pub -n ak.name; flush
printf '{"endorsement_public":"%s","attestation_public":"%s"' "$(b64 ek.pub)" "$(b64 ak.pub)" > begin.json
[ -z "$ek_cert" ] || printf ',"endorsement_certificate":"%s"' "$(b64 "$ek_cert")" >> begin.json
if [ -n "$chain" ]; then
    openssl x509 -in "$chain" -outform DER -out chain.der
    printf ',"endorsement_chain":["%s"]' "$(b64 chain.der)" >> begin.json
fi
printf '}' >> begin.json
post /device/v1/attestation begin.json challenge.json

# tpm2-tools keep both structures in one file: magic 0xBADCC0DE, version 1.
{ printf '\272\334\300\336\0\0\0\1'; member challenge.json credential_blob | base64 -d
  member challenge.json encrypted_secret | base64 -d; } > credential.bin
ak=ak.ctx
if [ "$step" = wrong-name ]; then
    tpm2_createak -Q -C ek.ctx -c other.ctx -G ecc -g sha256 -s ecdsa; flush; ak=other.ctx
fi
tpm2_startauthsession --policy-session -S session.ctx
tpm2_policysecret -Q -S session.ctx -c e
tpm2_activatecredential -Q -c $ak -C ek.ctx -i credential.bin -o secret.bin -P session:session.ctx
tpm2_flushcontext session.ctx; flush

attributes='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
[ "$step" = not-resident ] && attributes='sensitivedataorigin|userwithauth|sign'
tpm2_createprimary -Q -C o -G ecc -c srk.ctx; flush
tpm2_create -Q -C srk.ctx -G ecc256 -a "$attributes" -u key.pub -r key.priv --creation-hash creation.hash \
    --creation-ticket creation.ticket --creation-data creation.data; flush
tpm2_load -Q -C srk.ctx -u key.pub -r key.priv -c key.ctx; flush
nonce=$(member challenge.json nonce | base64 -d | od -An -tx1 | tr -d ' \n')
[ "$step" = replay ] && nonce=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
tpm2_certifycreation -Q -C ak.ctx -c key.ctx -d creation.hash -t creation.ticket -g sha256 -o certify.sig \
    --attestation certify.attest -q "$nonce"; flush
tpm2_quote -Q -c ak.ctx -l sha256:0,1,2,3,4,5,6,7 -q "$nonce" -m quote.attest -s quote.sig -g sha256; flush
tpm2_pcrread -Q sha256:0,1,2,3,4,5,6,7 -o pcrs.bin
pcrs=$(python3 -c 'import json; b=open("pcrs.bin","rb").read(); print(json.dumps({str(i): b[32*i:32*i+32].hex() for i in range(8)}))')

if [ "$step" = other-key ]; then
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout soft.pem -subj /CN=soft -outform DER -out csr.der 2> /dev/null
else
    python3 "$(dirname "$script")/csr_by_tpm.py"  # PKCS#10 with the key in the TPM, through tpm2_sign
fi
printf '{"secret":"%s","key_public":"%s","certify_attest":"%s","certify_signature":"%s","csr":"%s","quote_attest":"%s","quote_signature":"%s","pcrs":%s}' \
    "$(b64 secret.bin)" "$(b64 key.pub)" "$(b64 certify.attest)" "$(b64 certify.sig)" "$(b64 csr.der)" \
    "$(b64 quote.attest)" "$(b64 quote.sig)" "$pcrs" > finish.json
post "/device/v1/attestation/$(member challenge.json id)" finish.json answer.json
member answer.json certificate | base64 -d | openssl x509 -inform DER -out device.pem
member answer.json device_id
