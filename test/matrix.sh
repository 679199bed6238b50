#!/usr/bin/env bash
# Every suite on every PostgreSQL that Debian has, each in a root folder of its
# own made with debootstrap. The end is a table of what ran and what did not.
#
# MATRIX="17 18" runs some of: 15 17 18 19. MATRIX_CACHE=FOLDER keeps the roots
# there, for the next time. MATRIX_MIRROR names another archive than apt uses here.
# MATRIX_JOBS is how many run side by side, 1 if not given. SUITES and PROVE_TESTS are as
# in run.sh. Needs root and a network. A version that did not run is a failure; with
# MATRIX_OPTIONAL=1 one that could not be had is none: where the archive does not answer,
# or does not have it any more.
#
# What runs in a root has its own mounts and its own processes (namespaces), so
# that nothing of it is left when it is killed, and nothing else is.
# shellcheck source=test/private_server.sh
source "$(dirname "${BASH_SOURCE[0]}")/private_server.sh"

MATRIX=${MATRIX:-15 17 18 19}
CHILD=
PASSED=0
FAILED=0

# What Debian has of a version: a suite, and another one that adds to it.
suite_of() {
    case $1 in
        15) echo bookworm ;;
        17) echo trixie ;;
        18) echo forky ;;
        19) echo sid experimental ;;
        *) fail "no version \"$1\"; there are: 15 17 18 19" ;;
    esac
}

# As in private_server.sh, but as root: a child in a process group of its own.
run_as_root() {
    local status=0
    set -m
    "$@" </dev/null &
    CHILD=$!
    set +m
    wait "$CHILD" || status=$?
    CHILD=
    return "$status"
}

# What a version's own shell does when it is told to end. A namespace ends with its first
# process, which need not be asked.
end_apart() {
    if [ -n "$CHILD" ]; then
        kill -KILL -- "-$CHILD" 2>/dev/null || true
        wait "$CHILD" 2>/dev/null || true
    fi
    exit 143
}

# apart COMMAND...: with mounts and processes of its own, which end with this shell
apart() { run_as_root setpriv --pdeathsig KILL unshare --mount --pid --ipc --fork --kill-child "$@"; }

# inside ROOT COMMAND...: with that root. The shell stays, as somebody has to wait
# for processes whose parents are gone.
inside() {
    local root=$1
    shift
    # shellcheck disable=SC2016 # the inner shell expands it
    apart bash -c '
        root=$1; shift
        mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" &&
            mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/dev/shm" || exit 125
        chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
            LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
        exit $?' inside "$root" "$@"
}

# Where apt gets Debian from on this machine.
mirror() {
    # shellcheck disable=SC2016 # apt-get expands it
    printf '%s' "${MATRIX_MIRROR:-$(apt_targets '$(REPO_URI)' | grep -v security | head -n 1)}"
}

# missing_suite VERSION: which of its suites the archive does not answer for, as apt asks it
missing_suite() {
    local suite
    for suite in $(suite_of "$1"); do
        timeout 120 /usr/lib/apt/apt-helper -o Acquire::Retries=3 download-file \
            "$(mirror)/dists/$suite/Release" "$WORK/logs/$1.$suite" >/dev/null 2>&1 || printf '%s ' "$suite"
    done
}

# write_apt_settings ROOT MIRROR SUITE...: proxies and the like are those of this machine
write_apt_settings() {
    local root=$1 mirror=$2 suite
    shift 2
    for suite in "$@"; do say "deb $mirror $suite main"; done >"$root/etc/apt/sources.list"
    if [ -n "${2:-}" ]; then
        printf 'Package: libpq* libecpg* libpgtypes* postgresql-*\nPin: release a=%s\nPin-Priority: 990\n' \
            "$2" >"$root/etc/apt/preferences.d/server"
    fi
    apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$root/etc/apt/apt.conf.d/90host" || true
    cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
}

# The script that debootstrap makes a suite with. An older debootstrap knows no newer
# suite by its name, but makes all of them alike.
debootstrap_script() {
    local folder=${DEBOOTSTRAP_DIR:-/usr/share/debootstrap}/scripts
    if [ -e "$folder/$1" ]; then printf '%s' "$folder/$1"; else printf '%s' "$folder/sid"; fi
}

# make_root VERSION ROOT: Debian with that PostgreSQL, ready to build and to test. Leaves
# a file "none" where the archive does not have that PostgreSQL.
make_root() {
    local version=$1 root=$2 suites
    read -ra suites <<<"$(suite_of "$version")"
    rm -rf "${root:?}"
    mkdir -p "$root"
    apart timeout 600 debootstrap --variant=minbase "${suites[0]}" "$root" "$(mirror)" \
        "$(debootstrap_script "${suites[0]}")" || return 1
    write_apt_settings "$root" "$(mirror)" "${suites[@]}"

    # no server but ours starts, and no cluster is made
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    mkdir -p "$root/etc/postgresql-common"
    printf 'create_main_cluster = false\nstart_conf = manual\n' >"$root/etc/postgresql-common/createcluster.conf"

    inside "$root" timeout 300 apt-get update -qq || return 1
    if ! inside "$root" apt-cache policy "postgresql-$version" | grep '^  Candidate: [0-9]' >/dev/null; then
        touch "$root/none"
        return 1
    fi
    inside "$root" timeout 900 apt-get install -y -qq --no-install-recommends ca-certificates procps make gcc \
        libc6-dev clang libclang-rt-dev perl libipc-run-perl util-linux \
        "postgresql-$version" "postgresql-server-dev-$version" || return 1
    rm -rf "${root:?}"/var/cache/apt/archives/*.deb
    touch "$root/ready"
}

# copy_to ROOT: the source, as git knows it, in place of what an earlier run left
copy_to() {
    rm -rf "${1:?}/root/pool_advisor" "${1:?}"/tmp/*
    mkdir -p "$1/root/pool_advisor"
    tar -c -C "$WORK/source" . | tar -x -C "$1/root/pool_advisor"
}

# conclude VERSION WHAT PASSED FAILED SKIPPED: what the table says of a version
conclude() {
    local version=$1
    shift
    (IFS='|' && printf '%s\n' "$*") >"$WORK/results/$version"
}

# show VERSION LOG LINES: the last lines of a log in one piece, as others run beside
show() {
    {
        flock 9
        say "== PostgreSQL $1"
        tail -n "$3" "$2" | sed 's/^/   /'
    } 9>"$WORK/lock"
}

# need_root VERSION ROOT: a second try, as archives change while they are read
need_root() {
    local version=$1 root=$2 log=$WORK/logs/$1.root missing try what
    [ ! -e "$root/ready" ] || return 0
    what="Debian $(suite_of "$version")"
    say "== PostgreSQL $version: making a root of $what"
    for try in 1 2; do
        if make_root "$version" "$root" >"$log" 2>&1; then return 0; fi
        [ ! -e "$root/none" ] || break
        say "== PostgreSQL $version: try $try failed"
    done
    missing=$(missing_suite "$version")
    show "$version" "$log" 15
    if [ -n "$missing" ]; then
        conclude "$version" "NOT RUN: the archive does not answer for $missing" 0 "$UNAVAILABLE" 0
    elif [ -e "$root/none" ]; then
        conclude "$version" "NOT RUN: $what has no postgresql-$version" 0 "$UNAVAILABLE" 0
    else
        conclude "$version" "NOT RUN: the archive answers, but no root could be made of $what" 0 1 0
    fi
    return 1
}

run_version() {
    local version=$1 root=$ROOTS/$1 log=$WORK/logs/$1 full counts
    need_root "$version" "$root" || return 0
    full=$(chroot "$root" "/usr/lib/postgresql/$version/bin/pg_config" --version)
    say "== PostgreSQL $version: running the suites on $full"
    copy_to "$root"
    inside "$root" make -s -C /root/pool_advisor test ${SUITES:+SUITES="$SUITES"} \
        ${PROVE_TESTS:+PROVE_TESTS="$PROVE_TESTS"} PG_CONFIG="/usr/lib/postgresql/$version/bin/pg_config" \
        >"$log" 2>&1 || true
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1|\2/p' "$log" | tail -n 1)
    if [ -z "$counts" ]; then
        show "$version" "$log" 40
        conclude "$version" "NOT RUN to its end: $full" 0 1 0
        return
    fi
    show "$version" "$log" +1
    conclude "$version" "$full" "${counts%|*}" "${counts#*|}" "$(grep -c '^   skipped: ' "$log" || true)"
}

# A version in a shell of its own, which ends when it is told to.
start_version() {
    set -m
    (
        set +m
        trap end_apart TERM
        run_version "$1"
        if [ -z "${MATRIX_CACHE:-}" ]; then rm -rf "${ROOTS:?}/$1"; fi
    ) </dev/null &
    CHILDREN+=($!)
    set +m
}

# The table, and the sums.
sum_up() {
    local version what passed failed skipped
    printf '%-9s%-64s%8s%8s%9s\n' version what passed failed skipped
    for version in $MATRIX; do
        # a shell that ended before it could say why
        [ -e "$WORK/results/$version" ] || conclude "$version" 'NOT RUN to its end' 0 1 0
        IFS='|' read -r what passed failed skipped <"$WORK/results/$version"
        printf '%-9s%-64s%8s%8s%9s\n' "$version" "$what" "$passed" "$failed" "$skipped"
        PASSED=$((PASSED + passed))
        FAILED=$((FAILED + failed))
    done
}

[ "$(id -u)" = 0 ] || fail 'making a root folder needs root'
command -v apt-get >/dev/null || fail 'needs Debian, or one of its kin: there is no apt-get'
for version in $MATRIX; do suite_of "$version" >/dev/null; done
make_work_folder
mkdir "$WORK/logs" "$WORK/results"
is_installed debootstrap || install_packages debootstrap
copy_source
if [ -n "${MATRIX_CACHE:-}" ]; then
    mkdir -p "$MATRIX_CACHE"
    ROOTS=$(cd "$MATRIX_CACHE" && pwd)
else
    ROOTS=$WORK/roots
    mkdir "$ROOTS"
fi
UNAVAILABLE=1
if [ -n "${MATRIX_OPTIONAL:-}" ]; then UNAVAILABLE=0; fi

for version in $MATRIX; do
    while [ "$(jobs -r -p | wc -l)" -ge "${MATRIX_JOBS:-1}" ]; do wait -n || true; done
    start_version "$version"
done
for child in "${CHILDREN[@]}"; do wait "$child" || true; done
say ''
sum_up
say "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
