#!/usr/bin/env bash
# IWSLT14 de-en and en-de with a PART of the training text: raw text, joint subword vocabulary, binary format.
#   data-prep/prepare-iwslt14-de2en.sh --from DIR [--direction de-en|en-de] [--out DIR] [--vocabulary N] [--raw-only DIR]
# DIR holds train.partial, valid and test as NAME.LANGUAGE.gz: tokenized with Moses and lowercased, as
# fairseq's examples/translation/prepare-iwslt14-de2en.sh leaves them before it splits words into subwords. valid (7,283
# pairs) and test (6,750) are fairseq's, train has 48,766 of its 160,239 pairs. The text is not downloaded: the license
# of the TED talks, CC BY-NC-ND, does not allow redistribution of this version. Scores of systems trained on it are not
# comparable with those of systems trained on all of the text.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

valid_options='--from, --direction, --out, --vocabulary, --raw-only'
from='' direction=de-en out='' vocabulary=8000 raw_only=''
while [ $# -gt 0 ]; do
  case $1 in
    --from | --direction | --out | --vocabulary | --raw-only)
      [ $# -ge 2 ] || { echo "prepare-iwslt14-de2en: $1 needs a value" >&2; exit 2; }
      case $1 in
        --from) from=$2 ;; --direction) direction=$2 ;; --out) out=$2 ;; --vocabulary) vocabulary=$2 ;; *) raw_only=$2 ;;
      esac
      shift 2 ;;
    *) echo "prepare-iwslt14-de2en: unknown option $1; valid: $valid_options" >&2; exit 2 ;;
  esac
done
case $direction in
  de-en | en-de) ;;
  *) echo "prepare-iwslt14-de2en: --direction $direction: must be de-en or en-de" >&2; exit 2 ;;
esac
[ -n "$from" ] || { echo "prepare-iwslt14-de2en: give the folder with the text: --from DIR" >&2; exit 2; }
out=${out:-data/iwslt14.$direction}
raw=${raw_only:-$out/raw}
mkdir -p "$raw"

# SHA-256 of the unpacked text
checksums() {
  cat <<'SUMS'
3cf6b9cbe964b5202431b9def81a0becfb2813acdd53c20a5480a9768c8a9161  train.partial.de
8bef0e5355bf33f28cbf75e90b8ec7f1c1c07eb06eabcc59f34cb7f0b4d5bc20  train.partial.en
3f051579c9d8c7281a6ea8c72ad4ae09dbaa9bb24dfd41166f2c3a3df7cd940a  valid.de
e6d7317a9772cd1ed970910c611e9e7dada1f34439269b44a9d801334bff948d  valid.en
e718c783e33160b7d72af8f733756a466e0d0c016eff8ab624c1b0d1d01cbbdf  test.de
4b127beb9050511a3e6209cd837ff36f623a3a423666b32aba6e208b7330cf4c  test.en
SUMS
}

has_sum() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]; } # FILE SHA256

for pair in train.partial:train valid:valid test:test; do
  for language in de en; do
    name=${pair%%:*}.$language target=$raw/${pair#*:}.$language
    expected=$(checksums | awk -v f="$name" '$2 == f { print $1 }')
    has_sum "$target" "$expected" && continue
    [ -f "$from/$name.gz" ] || { echo "prepare-iwslt14-de2en: --from $from: no file $name.gz" >&2; exit 2; }
    gzip -dc "$from/$name.gz" >"$target.part" || { echo "prepare-iwslt14-de2en: $from/$name.gz is damaged" >&2; exit 2; }
    if ! has_sum "$target.part" "$expected"; then
      echo "prepare-iwslt14-de2en: $name has checksum $(sha256sum <"$target.part" | cut -d' ' -f1), expected $expected" >&2
      exit 2
    fi
    mv "$target.part" "$target"
  done
done
count() { wc -l <"$raw/$1.en"; }
echo "prepare-iwslt14-de2en: $raw: partial training text, $(count train) of 160239 pairs; $(count valid) valid, $(count test) test pairs"
[ -n "$raw_only" ] && exit 0

python=$here/../.venv/bin/python
[ -x "$python" ] || python=python3
languages=(--source "${direction%-*}" --target "${direction#*-}")
exec "$python" "$here/binarize.py" --raw "$raw" --out "$out" --vocabulary "$vocabulary" "${languages[@]}"
