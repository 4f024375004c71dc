#!/usr/bin/env bash
# Multi30k en-de (task 1): raw text, a joint sentencepiece vocabulary, fairseq's binary format.
#   data-prep/prepare-multi30k.sh --from DIR [--out DIR] [--vocabulary N] [--raw-only DIR]
#   data-prep/prepare-multi30k.sh            downloads from the official repository
# DIR holds train, val and test_2016_flickr as NAME.LANGUAGE.gz (the repository's data/task1/raw).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

from='' out=data/multi30k vocabulary=6000 raw_only=''
while [ $# -gt 0 ]; do
  case $1 in
    --from | --out | --vocabulary | --raw-only)
      [ $# -ge 2 ] || { echo "prepare-multi30k: $1 needs a value" >&2; exit 2; }
      case $1 in --from) from=$2 ;; --out) out=$2 ;; --vocabulary) vocabulary=$2 ;; --raw-only) raw_only=$2 ;; esac
      shift 2 ;;
    *) echo "prepare-multi30k: unknown option $1; valid: --from, --out, --vocabulary, --raw-only" >&2; exit 2 ;;
  esac
done
raw=${raw_only:-$out/raw}
mkdir -p "$raw"

# sha256 of the unpacked text: packing may differ, the sentences may not
checksums() {
  cat <<'SUMS'
460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6  train.en
2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72  train.de
1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227  val.en
660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660  val.de
399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182  test_2016_flickr.en
4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16  test_2016_flickr.de
SUMS
}

fetch() { # NAME LANGUAGE -> unpacked text on standard output
  if [ -n "$from" ]; then
    [ -f "$from/$1.$2.gz" ] || { echo "prepare-multi30k: --from $from: no file $1.$2.gz" >&2; exit 2; }
    gzip -dc "$from/$1.$2.gz" || { echo "prepare-multi30k: $from/$1.$2.gz is damaged" >&2; exit 2; }
  else
    curl --fail --silent --show-error --location \
      "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/$1.$2.gz" | gzip -dc ||
      { echo "prepare-multi30k: could not download $1.$2.gz; give a copy with --from DIR" >&2; exit 2; }
  fi
}

for pair in train:train val:valid test_2016_flickr:test; do
  for language in en de; do
    target=$raw/${pair#*:}.$language
    expected=$(checksums | awk -v f="${pair%%:*}.$language" '$2 == f { print $1 }')
    if [ ! -f "$target" ] || [ "$(sha256sum <"$target" | cut -d' ' -f1)" != "$expected" ]; then
      fetch "${pair%%:*}" "$language" >"$target.part"
      found=$(sha256sum <"$target.part" | cut -d' ' -f1)
      if [ "$found" != "$expected" ]; then
        echo "prepare-multi30k: ${pair%%:*}.$language has checksum $found, expected $expected" >&2
        exit 2
      fi
      mv "$target.part" "$target"
    fi
  done
done
echo "prepare-multi30k: $raw: $(wc -l <"$raw/train.en") train, $(wc -l <"$raw/valid.en") valid, $(wc -l <"$raw/test.en") test pairs"
[ -n "$raw_only" ] && exit 0

python=$here/../.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" "$here/binarise.py" --raw "$raw" --out "$out" --vocabulary "$vocabulary"
