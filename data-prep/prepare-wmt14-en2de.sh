#!/usr/bin/env bash
# WMT'14 English-German: Europarl v7, Common Crawl and News Commentary v9, cleaned; newstest2013 as valid, newstest2014 as
# test; joint subword vocabulary, fairseq's binary format.
#   data-prep/prepare-wmt14-en2de.sh [--from DIR] [--out DIR] [--vocabulary N] [--raw-only DIR] [--test-lines 3003|2737]
#                                    [--moses] [--unchecked] [--jobs N]
# DIR holds training-parallel-{europarl-v7,commoncrawl,nc-v9}.tgz, as they are downloaded otherwise (1.7 GB, continued if
# stopped), and newstest2013.{en,de}.gz and newstest2014.{en,de}.gz, which sacrebleu fetches otherwise.
# --test-lines: all 3,003 sentences of newstest2014, or the 2,737 of the filtered set (newstest2014-2737.{en,de}.gz in DIR).
# --moses: tokenized by sacremoses, as papers with tokenized BLEU do; otherwise subwords are learned on plain text.
# --unchecked: takes archives whose checksums are not those of the published ones.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

valid_options='--from, --out, --vocabulary, --raw-only, --test-lines, --moses, --unchecked, --jobs'
from='' out=data/wmt14 vocabulary=32000 raw_only='' test_lines=3003 jobs=$(nproc) unchecked='' more=()
fail() { echo "prepare-wmt14-en2de: $*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --from | --out | --vocabulary | --raw-only | --test-lines | --jobs)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case $1 in
        --from) from=$2 ;; --out) out=$2 ;; --vocabulary) vocabulary=$2 ;; --raw-only) raw_only=$2 ;;
        --jobs) jobs=$2 ;; *) test_lines=$2 ;;
      esac
      shift 2 ;;
    --moses) more+=(--moses); shift ;;
    --unchecked) unchecked=yes; shift ;;
    *) fail "unknown option $1; valid: $valid_options" ;;
  esac
done
case $test_lines in
  3003) set=wmt14/full name=newstest2014 ;;
  2737) set=wmt14 name=newstest2014-2737 ;;
  *) fail "--test-lines $test_lines: must be 3003 or 2737" ;;
esac
python=$here/../.venv/bin/python
[ -x "$python" ] || python=python3
text=${raw_only:-$out}.text
mkdir -p "$text"

# Folder on www.statmt.org, SHA-256, and the pair of files in each archive
archives() {
  cat <<'LIST'
wmt13/training-parallel-europarl-v7.tgz 0224c7c710c8a063dfd893b0cc0830202d61f4c75c17eb8e31836103d27d96e7 training/europarl-v7.de-en
wmt13/training-parallel-commoncrawl.tgz c7a74e2ea01ac6c920123108627e35278d4ccb5701e15428ffa34de86fa3a9e5 commoncrawl.de-en
wmt14/training-parallel-nc-v9.tgz cb8953f292298e6877ae433c98912b927cb0766b303f4540512ddd286c748485 training/news-commentary-v9.de-en
LIST
}

unpack() { # URL SHA256 MEMBER: write MEMBER's two sides to $text
  local archive=$text/$(basename "$1") member=$3 language
  [ -f "$text/$(basename "$member").en" ] && [ -f "$text/$(basename "$member").de" ] && return
  if [ -n "$from" ]; then
    archive=$from/$(basename "$1")
    [ -f "$archive" ] || fail "--from $from: no file $(basename "$1")"
  elif [ ! -f "$archive" ]; then
    curl --fail --silent --show-error --location --retry 3 --continue-at - --output "$archive.part" \
      "https://www.statmt.org/$1" || fail "could not download $1; the same command continues it"
    mv "$archive.part" "$archive"
  fi
  local sum
  sum=$(sha256sum <"$archive" | cut -d' ' -f1)
  [ -n "$unchecked" ] || [ "$sum" = "$2" ] || fail "$archive has checksum $sum, expected $2"
  for language in de en; do
    tar -xzOf "$archive" "$member.$language" >"$text/.part.$language" 2>/dev/null ||
      fail "$archive is damaged, or lacks $member.$language"
  done
  for language in de en; do mv "$text/.part.$language" "$text/$(basename "$member").$language"; done
}

test_set() { # SACREBLEU_SET NAME
  local language file
  for language in en de; do
    file=$text/$2.$language
    [ -s "$file" ] && continue
    if [ -n "$from" ]; then
      [ -f "$from/$2.$language.gz" ] || fail "--from $from: no file $2.$language.gz"
      gzip -dc "$from/$2.$language.gz" >"$file.part" || fail "$from/$2.$language.gz is damaged"
    else
      local echo=src
      [ $language = en ] || echo=ref
      "$python" -m sacrebleu --test-set "$1" --language-pair en-de --echo $echo >"$file.part" ||
        fail "sacrebleu could not fetch $1; give a copy with --from DIR"
    fi
    mv "$file.part" "$file"
  done
}

train=()
while read -r url sum member; do
  unpack "$url" "$sum" "$member"
  train+=(--train "$text/$(basename "$member").en" "$text/$(basename "$member").de")
done < <(archives)
test_set wmt13 newstest2013
test_set "$set" "$name"
[ "$(wc -l <"$text/$name.en")" = "$test_lines" ] || fail "$text/$name.en has $(wc -l <"$text/$name.en") lines, not $test_lines"
words=(--source en --target de "${train[@]}" --valid "$text"/newstest2013.{en,de} --test "$text/$name".{en,de}
  --language --jobs "$jobs" ${more[@]+"${more[@]}"})
[ -z "$raw_only" ] || exec "$here/prepare-bitext.sh" "${words[@]}" --raw-only --out "$raw_only"
exec "$here/prepare-bitext.sh" "${words[@]}" --out "$out" --vocabulary "$vocabulary"
