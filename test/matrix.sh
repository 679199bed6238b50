#!/usr/bin/env bash
# Every suite on every PostgreSQL that Debian has, each in a root folder of its
# own made with debootstrap. The end is a table.
#
# MATRIX="17 18" runs some of: 15 17 18 19. MATRIX_CACHE=FOLDER keeps the roots
# there, for the next time. MATRIX_MIRROR names another archive than apt uses here.
# SUITES and PROVE_TESTS are as in run.sh. Needs root and a network; a version that cannot
# be had is a failure, unless MATRIX_OPTIONAL=1.
#
# What runs in a root has its own mounts and its own processes (namespaces), so
# that nothing of it is left when it is killed, and nothing else is.
# shellcheck source=test/private.sh
source "$(dirname "${BASH_SOURCE[0]}")/private.sh"

MATRIX=${MATRIX:-15 17 18 19}
TABLE=()
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

# A namespace ends with its first process, which need not be asked.
stop_child() {
    kill -KILL -- "-$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# As in private.sh, but as root: a child in a process group of its own.
run_as_root() {
    set -m
    "$@" </dev/null &
    CHILD=$!
    set +m
    CHILDREN+=("$CHILD")
    wait "$CHILD"
}

# apart COMMAND...: with mounts and processes of its own
apart() { run_as_root unshare --mount --pid --ipc --fork --kill-child "$@"; }

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

# make_root VERSION ROOT: Debian with that PostgreSQL, ready to build and to test
make_root() {
    local version=$1 root=$2 suites
    read -ra suites <<<"$(suite_of "$version")"
    rm -rf "$root"
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
    inside "$root" timeout 900 apt-get install -y -qq --no-install-recommends ca-certificates procps make gcc \
        libc6-dev clang libclang-rt-dev perl libipc-run-perl util-linux \
        "postgresql-$version" "postgresql-server-dev-$version" || return 1
    rm -rf "$root"/var/cache/apt/archives/*.deb
    touch "$root/ready"
}

# copy_to ROOT: the source, as git knows it, in place of what an earlier run left
copy_to() {
    rm -rf "$1/root/pool_advisor" "$1"/tmp/*
    mkdir -p "$1/root/pool_advisor"
    tar -c -C "$WORK/source" . | tar -x -C "$1/root/pool_advisor"
}

# give_up VERSION LOG WHY
give_up() {
    tail -n 15 "$2" | sed 's/^/   /'
    TABLE+=("$1|Debian $(suite_of "$1"): not run, $3||")
}

run_version() {
    local version=$1 root=$ROOTS/$1 log=$WORK/logs/$1 full counts
    if [ ! -e "$root/ready" ]; then
        say "== PostgreSQL $version: making a root of Debian $(suite_of "$version")"
        if ! make_root "$version" "$root" >"$log.root" 2>&1; then
            give_up "$version" "$log.root" 'no root could be made'
            [ -n "${MATRIX_OPTIONAL:-}" ] || FAILED=$((FAILED + 1))
            return
        fi
    fi
    full=$(chroot "$root" "/usr/lib/postgresql/$version/bin/pg_config" --version)
    say "== $full"
    copy_to "$root"
    inside "$root" make -s -C /root/pool_advisor test ${SUITES:+SUITES="$SUITES"} \
        ${PROVE_TESTS:+PROVE_TESTS="$PROVE_TESTS"} PG_CONFIG="/usr/lib/postgresql/$version/bin/pg_config" \
        >"$log" 2>&1 || true
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1|\2/p' "$log" | tail -n 1)
    if [ -z "$counts" ]; then
        give_up "$version" "$log" 'the suite did not end'
        FAILED=$((FAILED + 1))
        return
    fi
    sed 's/^/   /' "$log"
    TABLE+=("$version|$full|$counts")
    PASSED=$((PASSED + ${counts%|*}))
    FAILED=$((FAILED + ${counts#*|}))
}

[ "$(id -u)" = 0 ] || fail 'making a root folder needs root'
command -v apt-get >/dev/null || fail 'needs Debian, or one of its kin: there is no apt-get'
make_work_folder
mkdir "$WORK/logs"
is_installed debootstrap || install_packages debootstrap
copy_source
if [ -n "${MATRIX_CACHE:-}" ]; then
    mkdir -p "$MATRIX_CACHE"
    ROOTS=$(cd "$MATRIX_CACHE" && pwd)
else
    ROOTS=$WORK/roots
    mkdir "$ROOTS"
fi

for version in $MATRIX; do
    run_version "$version"
    if [ -z "${MATRIX_CACHE:-}" ]; then rm -rf "${ROOTS:?}/$version"; fi
done
say ''
printf '%s\n' 'version|what|passed|failed' "${TABLE[@]}" |
    awk -F '|' '{ printf "%-9s%-52s%8s%8s\n", $1, $2, $3, $4 }'
say "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
