#!/usr/bin/env bash
# Multi30k en-de (task 1): raw text, joint subword vocabulary (sentencepiece), fairseq's binary format.
#   data-prep/prepare-multi30k.sh --from DIR [--out DIR] [--vocabulary N] [--raw-only DIR] [--captions]
#   data-prep/prepare-multi30k.sh            downloads from the official repository
# DIR holds train, val and test_2016_flickr as NAME.LANGUAGE.gz (the repository's data/task1/raw).
# --captions adds captions.en to the raw text: further English captions of the training pictures (task 2), for
# scripts/distill.py --source-text. DIR/task2 then holds train.{1..5}.en.gz (the repository's data/task2/raw). Lines
# that occur in train, valid or test of task 1 are left out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

from='' out=data/multi30k vocabulary=6000 raw_only='' captions=''
while [ $# -gt 0 ]; do
  case $1 in
    --from | --out | --vocabulary | --raw-only)
      [ $# -ge 2 ] || { echo "prepare-multi30k: $1 needs a value" >&2; exit 2; }
      case $1 in --from) from=$2 ;; --out) out=$2 ;; --vocabulary) vocabulary=$2 ;; --raw-only) raw_only=$2 ;; esac
      shift 2 ;;
    --captions) captions=yes; shift ;;
    *) echo "prepare-multi30k: unknown option $1; valid: --from, --out, --vocabulary, --raw-only, --captions" >&2; exit 2 ;;
  esac
done
raw=${raw_only:-$out/raw}
mkdir -p "$raw"

# SHA-256 of the unpacked text: the compression may differ, the sentences may not
checksums() {
  cat <<'SUMS'
460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6  train.en
2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72  train.de
1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227  val.en
660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660  val.de
399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182  test_2016_flickr.en
4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16  test_2016_flickr.de
636e949e8a5ae49bf4643e5566cd5400359328003937db2840d0910d85a820d8  task2/train.1.en
18088d31a798cae6c90ae89bedd0c0e60601f9411438f38103036f830b3f9f72  task2/train.2.en
03b7594e8a2145e2178d07342b776d006a8722aca298b415c4cb465afe217ed4  task2/train.3.en
6fc0e7b4b6b59e8e19af79b44fe28dd21f0258a58db290e34e96020df44e0f59  task2/train.4.en
4ad11df3e1a83e3785d8bab96b68668875ff7f6146744c28bf6766240e7fe9f5  task2/train.5.en
40c9af3620d12a737154c2e35eea8a1d524f314c20398b2deaba79760880db46  captions.en
SUMS
}

expected_sum() { checksums | awk -v f="$1" '$2 == f { print $1 }'; }

has_sum() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]; } # FILE SHA256

fetch() { # NAME TARGET: write NAME, unpacked and checked, to TARGET
  local url expected
  case $1 in task2/*) url=task2/raw/${1#task2/} ;; *) url=task1/raw/$1 ;; esac
  if [ -n "$from" ]; then
    [ -f "$from/$1.gz" ] || { echo "prepare-multi30k: --from $from: no file $1.gz" >&2; exit 2; }
    gzip -dc "$from/$1.gz" >"$2.part" || { echo "prepare-multi30k: $from/$1.gz is damaged" >&2; exit 2; }
  else
    curl --fail --silent --show-error --location \
      "https://raw.githubusercontent.com/multi30k/dataset/master/data/$url.gz" | gzip -dc >"$2.part" ||
      { echo "prepare-multi30k: could not download $url.gz; give a copy with --from DIR" >&2; exit 2; }
  fi
  expected=$(expected_sum "$1")
  if ! has_sum "$2.part" "$expected"; then
    echo "prepare-multi30k: $1 has checksum $(sha256sum <"$2.part" | cut -d' ' -f1), expected $expected" >&2
    exit 2
  fi
  mv "$2.part" "$2"
}

for pair in train:train val:valid test_2016_flickr:test; do
  for language in en de; do
    target=$raw/${pair#*:}.$language
    name=${pair%%:*}.$language
    has_sum "$target" "$(expected_sum "$name")" || fetch "$name" "$target"
  done
done
echo "prepare-multi30k: $raw: $(wc -l <"$raw/train.en") train, $(wc -l <"$raw/valid.en") valid, $(wc -l <"$raw/test.en") test pairs"

python=$here/../.venv/bin/python
[ -x "$python" ] || python=python3
if [ -n "$captions" ]; then
  target=$raw/captions.en expected=$(expected_sum captions.en)
  if ! has_sum "$target" "$expected"; then
    parts=()
    for number in 1 2 3 4 5; do
      fetch "task2/train.$number.en" "$raw/.captions.$number"
      parts+=("$raw/.captions.$number")
    done
    cat "${parts[@]}" | "$python" "$here/new_lines.py" "$raw/train.en" "$raw/valid.en" "$raw/test.en" >"$target.part"
    rm "${parts[@]}"
    has_sum "$target.part" "$expected" || { echo "prepare-multi30k: $target.part is not as expected" >&2; exit 2; }
    mv "$target.part" "$target"
  fi
  echo "prepare-multi30k: $target: $(wc -l <"$target") English captions that task 1 does not have"
fi
[ -n "$raw_only" ] && exit 0
exec "$python" "$here/binarize.py" --raw "$raw" --out "$out" --vocabulary "$vocabulary"
