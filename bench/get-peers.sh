#!/usr/bin/env bash
# Fetches the peers that benchmarks compare with into bench/obj/peers: llama.cpp's ggml, from the npm package of node-llama-cpp.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p obj/peers
cd obj/peers

package=@node-llama-cpp/linux-x64@3.22.1
integrity=5uCCDNqWCNfaAm8aR/Uzxbo4HBpKgNF91kCHPepKhgMgV2OAmatoefbOlMihsqCiH2Od35E/eUHQCFbfRBJuOg==

if [ -f libggml-base.so ]; then exit 0; fi
archive=$(npm pack --silent "$package")
if [ "$(openssl dgst -sha512 -binary "$archive" | base64 -w0)" != "$integrity" ]; then
  echo "$archive: not the package that was pinned (sha512 differs)" >&2
  rm -f "$archive"
  exit 1
fi
tar xzf "$archive" --strip-components=3 package/bins/linux-x64
rm -f "$archive"
