#!/usr/bin/env bash
# What the tests need from the system: a real MQTT broker, a real browser, a CJK font, a second reader of PDFs and seals, a token for seal keys, the checker of systemd units. Installed through apt where
# that is allowed; otherwise one line says what is missing.
set -euo pipefail
missing=()
command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
command -v chromium >/dev/null || missing+=(chromium)
fc-list 2>/dev/null | grep -qiE 'noto ?sans ?cjk|wqy|source ?han' || missing+=(fontconfig fonts-noto-cjk)
command -v pdfsig >/dev/null || missing+=(poppler-utils)
command -v openssl >/dev/null || missing+=(openssl)
command -v softhsm2-util >/dev/null || missing+=(softhsm2)
command -v systemd-analyze >/dev/null || missing+=(systemd)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "setup: apt-get install ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then exit 0; fi
fi
echo "setup: install these system packages, then run again: ${missing[*]}"
exit 1
