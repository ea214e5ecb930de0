# Sourced by tools/setup.sh: runs the steps of a set-up one at a time and explains a failure in one line.

fail() {
    echo "face_af: $*" >&2
    exit 1
}

# One line that says why nothing can be written into this folder.
why_not_writable() {
    local owner
    owner=$(stat -c %U . 2>/dev/null || ls -ld . | awk '{print $3}')
    if [ "$(df -Pk . | awk 'NR == 2 {print $4}')" = 0 ]; then
        echo "the disk of $PWD is full; free some space and run again"
    elif [ -w . ] && [ -d "$state" ] && ! [ -w "$state" ]; then
        echo "$PWD/$state belongs to $(stat -c %U "$state"); it was set up by somebody else: sudo chown -R $(id -un) $PWD"
    elif [ "$owner" != "$(id -un)" ] && ! [ -w . ]; then
        echo "$PWD belongs to $owner and you are $(id -un): sudo chown -R $(id -un) $PWD, or work in a copy of your own"
    else
        echo "$PWD cannot be written to: it is read-only"
    fi
}

# Waits until no other ./run sets up here. The lock is held by all that descend from this shell, so that it lasts until
# the last of them has ended, even when ./run itself is killed.
take_lock() {
    # append: another's note in it must stay
    { mkdir -p $state && exec 9>>$state/lock && : >$state/probe && echo x >$state/probe && rm $state/probe; } 2>/dev/null ||
        fail "$(why_not_writable)"
    if ! flock -n 9; then
        echo "face_af: waiting for another ./run that is setting up here (process $(cat $state/lock))" >&2
        flock 9
    fi
    echo $$ >$state/lock
}

# step NAME FUNCTION: runs it with its output in the log and shows the elapsed time.
step() {
    local start=$SECONDS said=$state/step.log clock= child status
    if [ -t 1 ]; then
        while sleep 1; do printf '\r  %-24s %3d s' "$1" $((SECONDS - start)); done 9>&- &
        clock=$!
    fi
    # a process group of its own, so that it can be ended with all that it has started
    set -m
    (set -e; "$2") >$said 2>&1 </dev/null &
    child=$!
    set +m
    trap 'end_step $child; stop_clock $clock; fail "interrupted; ./run goes on from here next time"' INT TERM HUP
    # in a shell of its own and not as part of a condition: only there does -e reach into the function
    set +e
    wait $child
    status=$?
    set -e
    trap - INT TERM HUP
    stop_clock $clock
    cat $said >>$log
    if [ $status -eq 0 ]; then
        printf '  %-24s %3d s\n' "$1" $((SECONDS - start))
        return
    fi
    explain "$1" $said
}

end_step() {
    trap '' INT TERM HUP
    kill -TERM -- "-$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

stop_clock() {
    [ -n "${1:-}" ] || return 0
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null || true
    printf '\r\e[K'
}

explain() {
    if grep -qiE 'no space left|disk quota' "$2"; then
        fail "the disk is full; free some space and run again"
    elif grep -qiE 'read-only file system' "$2"; then
        fail "setting up '$1' failed: a read-only file system (details: $log)"
    elif grep -qiE 'name resolution|dns error|failed to (fetch|lookup)|connection (refused|reset|timed out)|network is unreachable|error sending request' "$2"; then
        fail "no network: the first set-up downloads packages from PyPI; connect and run again (details: $log)"
    elif grep -qiE 'permission denied' "$2"; then
        fail "permission denied while setting up '$1'; is everything in $PWD yours? sudo chown -R $(id -un) $PWD (details: $log)"
    fi
    # CMake says what is wrong in the lines below "CMake Error at ...:"
    local said
    said=$(grep -iE -A 3 'error|fatal' "$2" | grep -v '^ *$\|^--$' | tail -n 4 || true)
    [ -n "$said" ] || said=$(tail -n 1 "$2")
    said=$(sed 's/^face_af: error: //' <<<"$said" | paste -s -d ' ' | tr -s ' ' | cut -c1-300)
    fail "setting up '$1' failed: $said (details: $log)"
}
