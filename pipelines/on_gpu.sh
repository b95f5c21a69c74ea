#!/usr/bin/env bash
# A quarter of an hour with a GPU, from packing to unpacking. Run it in the repository's root.
#
#   here          slim                    move assets/models and other large tracked files to runs/held, so that they stay
#                                         here; refuses where git sees changes in them. Meanwhile packs are not found by
#                                         name: programs that run go on, new ones wait for restore
#                 pack                    write runs/gpu/part-1 and part-2 and print their sizes
#   over there    receive                 check what parts came; part-1 comes with one command, part-2 with the next
#                 edits OUT MINUTES       encode all codes, then train the edit network on from the CPU's checkpoint
#                 head OUT MINUTES        train the generator's head, with the edit network of there
#   here          home FOLDER             put what came back (OUT of there) into runs/gpu-edits and runs/gpu-head
#                 restore                 put back what slim moved; fails unless git sees no difference
#
# MINUTES count from the command's start. edits and head leave in OUT/edits and OUT/head, every 90 seconds and at the
# end: the portable checkpoint (fp16, parts of 15 MiB), log.jsonl and the newest sheets: five files, and four. One
# command each, since eight files come back from a command. Called again, they go on.
#
# Where things are, unless told: FACES=data/faces-128 PAIRS=data/pairs-128 CODES=data/codes PAIRED=data/paired
# LABELLERS=../shared/evaluators PACK=face-128-detail RUN=runs/edits QUALITY=86; over there DEVICE=auto PRECISION=bf16
# BATCH=128. PYTHON is .venv/bin/python where that is, else python3.
#
# A timetable for fifteen minutes of which no command lasts longer than ten, and a machine's start takes one or two.
# Before the first minute: this rehearsed at toy size (tests/training/test_on_gpu.py does it), slim, pack.
#
#   minute 0    receive, with part-1: the machine starts, 60 MiB go there, five seconds of work
#   minute 3    edits $OUT 6, with part-2, at once, since an idle machine does not wait: 60 MiB, then of the six minutes
#               20 seconds to encode 16,500 faces, 20 to read their tables and send codes to the GPU, five to train
#   minute 10   head $OUT 3.5: 30 seconds to read, three to train; give the machine back
#   after       home for either, restore; look at every sheet
#
# By count of operations (torch.utils.flop_counter, at 128 px, face-128-detail) a picture takes 3.9 GFLOP to encode,
# 10.8 in edits (12.4 in every 16th step, with R1) and 9.7 in head (7.6 without edited pictures). At an effective 100
# TFLOP/s that were 9,200 pictures/s of edits and 10,300 of head; a cautious tenth is 900 and 1,000, so five minutes of
# edits are 270,000 pictures and three of head 180,000, where two cores make 6 to 10 a second. A step is also some 4,500
# operations that are launched one by one, 45 to 70 ms whatever the batch: below BATCH=64 these bound the speed.
# log.jsonl tells images_per_second after 90 seconds: below 300, something else is wrong (look at gpu_gib and d).
set -euo pipefail

held=runs/held parts=runs/gpu there=runs/gpu/here
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python3
    [ ! -x .venv/bin/python ] || PYTHON=.venv/bin/python
fi
FACES=${FACES:-data/faces-128} PAIRS=${PAIRS:-data/pairs-128} CODES=${CODES:-data/codes} PAIRED=${PAIRED:-data/paired}
LABELLERS=${LABELLERS:-../shared/evaluators} PACK=${PACK:-face-128-detail} RUN=${RUN:-runs/edits} QUALITY=${QUALITY:-86}
DEVICE=${DEVICE:-auto} PRECISION=${PRECISION:-bf16} BATCH=${BATCH:-128}

fail() {
    echo "on_gpu.sh: $*" >&2
    exit 1
}

recipe() {
    local name=$1
    shift
    PYTHONUNBUFFERED=1 "$PYTHON" -m "pipelines.$name" "$@"
}

large_files() { # tracked files that need not travel
    git ls-files assets/models
    git ls-files | grep -v '^assets/models/' | while read -r file; do
        if [ -f "$file" ] && [ "$(stat -c %s "$file")" -gt 262144 ]; then echo "$file"; fi
    done
}

slim() {
    [ ! -e "$held" ] || fail "$held is there already: restore first"
    local list
    list=$(large_files)
    if [ -n "$(echo "$list" | tr '\n' '\0' | xargs -0 git status --porcelain --)" ]; then
        fail "git sees changes in large files: commit them, or take them back"
    fi
    mkdir -p "$held"
    echo "$list" >"$held/LIST"
    while read -r file; do
        mkdir -p "$held/$(dirname "$file")"
        mv "$file" "$held/$file"
    done <"$held/LIST"
    echo "$(wc -l <"$held/LIST") files moved to $held: $(du -sm "$held" | cut -f1) MiB"
}

restore() {
    [ -f "$held/LIST" ] || fail "$held/LIST is not there: nothing was moved"
    while read -r file; do
        mkdir -p "$(dirname "$file")"
        if [ -e "$held/$file" ]; then mv -n "$held/$file" "$file"; fi
    done <"$held/LIST"
    local changed
    changed=$(tr '\n' '\0' <"$held/LIST" | xargs -0 git status --porcelain --)
    [ -z "$changed" ] || fail "these differ from what git has: $changed"
    rm -r "$held"
    echo "all is back"
}

pack_at() { # where the pack lies now
    if [ -d "$held/assets/models/$PACK" ]; then echo "$held/assets/models/$PACK"; else echo "$PACK"; fi
}

pack() {
    recipe gpu_parts pack --faces "$FACES" --pairs "$PAIRS" --codes "$CODES" --paired "$PAIRED" --labellers "$LABELLERS" \
        --pack "$(pack_at)" --run "$RUN" --quality "$QUALITY" --out "$parts"
}

receive() {
    recipe gpu_parts receive --out "$parts" --to "$there" "$@"
}

ready() { # all parts, and the codes of all faces
    receive --all
    for names in faces:codes pairs:paired; do
        if [ ! -f "$there/${names#*:}/labels.npz" ]; then
            recipe encode_faces --data "$there/${names%:*}" --pack "$there/networks.pt" --out "$there/${names#*:}" \
                --device "$DEVICE" --precision "$PRECISION"
        fi
    done
}

minutes_left() {
    awk -v minutes="$1" -v gone="$SECONDS" 'BEGIN { print minutes - gone / 60 }'
}

how() { # what both recipes are told; $1: OUT/NAME, $2: minutes
    echo "--labellers $there/labellers --pack $there/networks.pt --device $DEVICE --precision $PRECISION --batch $BATCH \
        --checkpoint 90 --part-mib 15 --portable $1 --fill --minutes $(minutes_left "$2")"
}

edits() {
    [ $# = 2 ] || fail "edits OUT MINUTES"
    ready
    # shellcheck disable=SC2046
    recipe train_edits --codes "$there/codes" --pairs "$there/paired" --probe "$there/networks.pt" \
        --out "$there/edits" $(how "$1/edits" "$2")
}

head_() {
    [ $# = 2 ] || fail "head OUT MINUTES"
    ready
    local with=()
    if [ -f "$there/edits/checkpoint.pt" ]; then with=(--edits "$there/edits"); fi
    # shellcheck disable=SC2046
    recipe train_head --codes "$there/codes" --data "$there/faces" "${with[@]}" --out "$there/head" $(how "$1/head" "$2")
}

home() {
    [ $# = 1 ] || fail "home FOLDER"
    local name
    for name in edits head; do
        [ -d "$1/$name" ] || continue
        [ ! -e "runs/gpu-$name" ] || fail "runs/gpu-$name is there already: move it away"
        mkdir -p "runs/gpu-$name"
        cp "$1/$name"/* "runs/gpu-$name/"
    done
    # checkpoint.pt is made out of what came; nothing is trained.
    if [ -d "$1/edits" ]; then
        recipe train_edits --codes "$CODES" --pairs "$PAIRED" --probe "$FACES" --labellers "$LABELLERS" \
            --pack "$(pack_at)" --out runs/gpu-edits --device cpu --minutes 0
    fi
    if [ -d "$1/head" ]; then
        local with=()
        if [ -f runs/gpu-edits/checkpoint.pt ]; then with=(--edits runs/gpu-edits); fi
        recipe train_head --codes "$CODES" --data "$FACES" --labellers "$LABELLERS" --pack "$(pack_at)" "${with[@]}" \
            --out runs/gpu-head --device cpu --minutes 0
    fi
}

command=${1:-}
shift || true
case "$command" in
slim | pack | receive | edits | home | restore) "$command" "$@" ;;
head) head_ "$@" ;;
*) fail "slim, pack, receive, edits, head, home or restore; the top of $0 says what they do" ;;
esac
