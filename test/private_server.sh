# private_server.sh: a PostgreSQL of our own, in a folder that goes away.
#
# Sourced by the scripts that need a server. Gives them packages, an
# unprivileged user, a private copy of an installed PostgreSQL with pool_advisor
# built into it, and the end of it all: whatever happens, the servers under
# $WORK are stopped and $WORK is removed. Nothing outside $WORK is written, but
# for the packages.
#
# PostgreSQL finds its files relative to its executables, so a tree with copied
# executables and links to the rest is an installation of its own, to which an
# extension can be added without touching the system's.
# shellcheck shell=bash

set -euo pipefail

WORK=
CHILDREN=()
NO_CLUSTER=

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# --- packages ---------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "need to run: $*; be root, or install sudo"
    fi
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# apt_targets FORMAT: where apt gets packages from on this machine
apt_targets() { apt-get indextargets --format "$1" 'Created-By: Packages' | sort -u; }

# The newest installed PostgreSQL that extensions can be built for.
newest_pg_config() {
    local candidate newest=
    for candidate in $(printf '%s\n' /usr/lib/postgresql/*/bin/pg_config | sort -V); do
        if [ -x "$candidate" ] && [ -e "$("$candidate" --pgxs)" ]; then
            newest=$candidate
        fi
    done
    printf '%s' "$newest"
}

# A new server package would make and start a cluster on the standard port. This keeps it from that,
# and must not stay: later packages of the machine's owner are to make theirs.
forbid_clusters() {
    NO_CLUSTER=/etc/postgresql-common/createcluster.d/pool_advisor-test.conf
    as_root mkdir -p "${NO_CLUSTER%/*}"
    printf 'create_main_cluster = false\nstart_conf = manual\n' | as_root tee "$NO_CLUSTER" >/dev/null
}

allow_clusters() {
    [ -n "$NO_CLUSTER" ] || return 0
    as_root rm -f "$NO_CLUSTER"
    as_root rmdir --ignore-fail-on-non-empty "${NO_CLUSTER%/*}"
    NO_CLUSTER=
}

install_packages() {
    local status=0
    export DEBIAN_FRONTEND=noninteractive
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    forbid_clusters
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" </dev/null >"$WORK/apt.log" 2>&1 || status=$?
    allow_clusters
    if [ "$status" != 0 ]; then
        tail -n 20 "$WORK/apt.log" >&2
        fail "could not install: $*"
    fi
}

# Sets PG_CONFIG. Asks for a version only if none was given and none is there.
need_packages() {
    local missing=() package version
    if [ -z "${PG_CONFIG:-}" ]; then
        PG_CONFIG=$(newest_pg_config)
    fi
    if command -v dpkg-query >/dev/null; then
        if [ -n "$PG_CONFIG" ]; then
            version=$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
        else
            version=$(apt-cache show postgresql 2>/dev/null | sed -n 's/^Depends: postgresql-\([0-9]*\).*/\1/p' | head -n 1)
        fi
        for package in gcc libc6-dev make perl libipc-run-perl util-linux procps \
            "postgresql-${version:-15}" "postgresql-server-dev-${version:-15}"; do
            # a PostgreSQL that is no package needs no package
            case $package in
                postgresql-*) if [ -n "$PG_CONFIG" ] && [ "${PG_CONFIG#/usr/lib/postgresql/}" = "$PG_CONFIG" ]; then continue; fi ;;
            esac
            is_installed "$package" || missing+=("$package")
        done
        if [ ${#missing[@]} -gt 0 ]; then
            say "installing: ${missing[*]}"
            install_packages "${missing[@]}"
        fi
    fi
    PG_CONFIG=${PG_CONFIG:-$(newest_pg_config)}
    [ -n "$PG_CONFIG" ] || fail "no PostgreSQL with its development files found; give PG_CONFIG"
    [ -e "$("$PG_CONFIG" --pgxs)" ] || fail "$PG_CONFIG has no PGXS; install the server's development files"
}

# --- the folder, the user, and the end --------------------------------------

# initdb refuses root, so as root everything runs as a user without rights, in a
# folder that this user may enter.
as_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups \
            env --chdir="$WORK/tmp" HOME="$WORK/tmp" USER=nobody LOGNAME=nobody TMPDIR="$WORK/tmp" "$@"
    else
        env TMPDIR="$WORK/tmp" "$@"
    fi
}

# In the background, its pid in CHILD, and in a process group of its own, so
# that a signal to us is acted on at once, and reaches all of it.
start_child() {
    set -m
    as_user "$@" &
    CHILD=$!
    set +m
    CHILDREN+=("$CHILD")
}

stop_child() {
    kill -TERM -- "-$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

run_child() {
    start_child "$@"
    wait "$CHILD"
}

# The servers whose data lies in our folder, by the pid in their lock file.
stop_servers() {
    local lock pid
    find "$WORK" -name postmaster.pid 2>/dev/null | while read -r lock; do
        pid=$(head -n 1 "$lock")
        if [ "$(readlink "/proc/$pid/cwd")" = "${lock%/*}" ]; then
            kill -QUIT "$pid" 2>/dev/null || true
            while [ -e "/proc/$pid" ]; do sleep 0.1; done
        fi
    done
}

clean_up() {
    local status=$? child
    trap '' INT TERM HUP
    trap - EXIT
    for child in "${CHILDREN[@]}"; do
        stop_child "$child"
    done
    allow_clusters || true
    if [ -n "$WORK" ]; then
        stop_servers
        if [ -n "${KEEP:-}" ]; then
            say "kept: $WORK"
        else
            rm -rf "$WORK"
        fi
    fi
    exit "$status"
}

make_work_folder() {
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/pool_advisor.XXXXXX")
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    chmod 755 "$WORK"
    mkdir "$WORK/tmp" "$WORK/source" "$WORK/tree"
    # where programs of others are unpacked
    export PADV_MONITORING=$WORK/monitoring PADV_BROWSER=$WORK/browser PADV_FLEET=$WORK/fleet
    export PADV_POOLS=$WORK/pools PADV_JAVA=$WORK/java
}

give_to_user() {
    if [ "$(id -u)" = 0 ]; then
        chown -R "nobody:$(id -g nobody)" "$@"
    fi
}

# --- the private PostgreSQL -------------------------------------------------

# A folder with links to all that is in another, but for the names given.
link_folder() {
    local from=$1 to=$2 entry
    shift 2
    mkdir -p "$to"
    for entry in "$from"/*; do
        case " $* " in
            *" ${entry##*/} "*) ;;
            *) ln -s "$entry" "$to/" ;;
        esac
    done
}

make_tree() {
    local tree=$WORK/tree bin share lib include
    bin=$("$PG_CONFIG" --bindir)
    share=$("$PG_CONFIG" --sharedir)
    lib=$("$PG_CONFIG" --pkglibdir)
    include=$("$PG_CONFIG" --includedir)
    mkdir -p "$tree$bin" "$tree${include%/*}" "$tree$("$PG_CONFIG" --libdir)"
    cp "$bin"/* "$tree$bin/"
    link_folder "$share" "$tree$share" extension
    link_folder "$share/extension" "$tree$share/extension"
    link_folder "$lib" "$tree$lib" bitcode
    if [ -d "$lib/bitcode" ]; then
        link_folder "$lib/bitcode" "$tree$lib/bitcode"
    fi
    ln -s "$include" "$tree$include"
    PG_BIN=$tree$bin
    PG_CONFIG=$PG_BIN/pg_config
}

copy_source() {
    local top
    top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
        (cd "$top" && git -c safe.directory="$top" ls-files -z --cached --others --exclude-standard |
            while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
            tar -c --null -T - | tar -x -C "$WORK/source")
    else
        tar -c -C "$top" --exclude=./.git . | tar -x -C "$WORK/source"
    fi
}

# A PostgreSQL with pool_advisor in it: PG_BIN has its executables, and
# $WORK/source the source, built.
prepare() {
    make_work_folder
    need_packages
    make_tree
    copy_source
    give_to_user "$WORK"
    # below another make it would have no jobs of its own; code for the JIT compiler is not run by a test
    if ! run_child env -u MAKELEVEL -u MAKEFLAGS -u MFLAGS make -s -j "$(nproc)" -C "$WORK/source" \
        PG_CONFIG="$PG_CONFIG" with_llvm=no install >"$WORK/build.log" 2>&1; then
        tail -n 40 "$WORK/build.log" >&2
        fail "could not build"
    fi
}

# --- programs of others -----------------------------------------------------

# unpack_package NAME FOLDER: what is in a Debian package, without installing it
unpack_package() {
    local folder=$WORK/packages/$1
    rm -rf "$folder"
    mkdir -p "$folder" "$2"
    (cd "$folder" && apt-get -qq -o APT::Sandbox::User=root download "$1" >>"$WORK/apt.log" 2>&1) || return 1
    dpkg-deb -x "$folder"/*.deb "$2"
}

# unpack_together FOLDER PACKAGE...: the same for several; all or none
unpack_together() {
    local folder=$1 debs=$WORK/packages/together status=0
    shift
    rm -rf "$debs"
    mkdir -p "$folder" "$debs"
    (cd "$debs" && apt-get -qq -o APT::Sandbox::User=root download "$@" >>"$WORK/apt.log" 2>&1) || status=1
    if [ "$status" = 0 ]; then
        find "$debs" -name '*.deb' -exec dpkg-deb -x {} "$folder" \;
    fi
    rm -rf "$debs"
    return "$status"
}

# unpack_each FOLDER PACKAGE...: these only, each by itself if they cannot be had together. They are
# unpacked, not installed, as their packages would start services. What cannot be had is not tested,
# and the test says so.
unpack_each() {
    local folder=$1 package updated=
    shift
    mkdir -p "$folder"
    command -v apt-get >/dev/null || return 0
    if ! unpack_together "$folder" "$@"; then
        for package in "$@"; do
            if unpack_package "$package" "$folder"; then continue; fi
            if [ -z "$updated" ]; then
                updated=yes
                as_root apt-get update -qq >>"$WORK/apt.log" 2>&1 || true
                if unpack_package "$package" "$folder"; then continue; fi
            fi
            say "   could not get $package: its tests are skipped"
        done
    fi
    chmod -R a+rX "$folder"
}

# The programs that monitoring is tested with.
fetch_monitoring() {
    say "== fetching programs to monitor with"
    unpack_each "$PADV_MONITORING" prometheus prometheus-postgres-exporter prometheus-sql-exporter \
        check-pgactivity zabbix-agent2 python3-yaml python3-decorator python3-prometheus-client
}

# unpack_all FOLDER PACKAGE...: these and what they need and that is not installed.
# Likewise unpacked, and what needs them is skipped when they cannot be had.
unpack_all() {
    local folder=$1 packages
    shift
    mkdir -p "$folder"
    command -v apt-get >/dev/null || return 0
    packages=$(missing_packages "$@")
    # shellcheck disable=SC2086 # a list of names
    if ! unpack_together "$folder" $packages; then
        as_root apt-get update -qq >>"$WORK/apt.log" 2>&1 || true
        packages=$(missing_packages "$@")
        unpack_together "$folder" $packages || say "   could not get $1: its tests are skipped"
    fi
    chmod -R a+rX "$folder"
}

# The browser that report() is looked at with, a strict parser, and what reads a PDF.
fetch_browser() {
    say "== fetching a browser to look at the report with"
    unpack_all "$PADV_BROWSER" chromium-headless-shell fonts-dejavu-core libxml2-utils poppler-utils
}

# HAProxy, and PL/Proxy, which goes into the private PostgreSQL.
fetch_fleet() {
    local version
    say "== fetching programs that join servers"
    unpack_all "$PADV_FLEET" haproxy
    command -v apt-get >/dev/null || return 0
    version=$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    unpack_package "postgresql-$version-plproxy" "$WORK/tree" || say "   could not get PL/Proxy: its tests are skipped"
}

# Patroni and etcd. curl is what doc/ reads Patroni's list of nodes with.
fetch_patroni() {
    local more=()
    command -v curl >/dev/null || more=(curl)
    unpack_all "$PADV_FLEET" patroni etcd-server python3-etcd python3-psycopg2 "${more[@]}"
}

# The pools that the view pools is tested with.
fetch_pools() {
    say "== fetching pools to be found"
    unpack_each "$PADV_POOLS" python3-sqlalchemy python3-greenlet python3-psycopg2 python3-psycopg-pool python3-psycopg \
        python3-typing-extensions node-pg node-split2 node-readable-stream node-xtend
}

# Java's pools, their driver, and Java itself where none with a compiler is installed: a compiler is
# among the modules of Debian's jre-headless. Its links into /etc lead into the folder then.
fetch_java() {
    local link more=()
    say "== fetching Java's pools"
    unpack_each "$PADV_JAVA" libhikaricp-java libslf4j-java libcommons-dbcp2-java libcommons-pool2-java \
        libcommons-logging-java libc3p0-java libpostgresql-jdbc-java
    command -v apt-cache >/dev/null || return 0
    mapfile -t more < <(apt-cache search --names-only '^lib(mchange-commons|tomcat[0-9]+)-java$' | cut -d ' ' -f 1 | sort -V |
        sed -n '/mchange/p; $p')
    if ! java --list-modules 2>/dev/null | grep '^jdk\.compiler' >/dev/null; then
        mapfile -t -O 9 more < <(apt-cache depends default-jre-headless | sed -n 's/.*Depends: \(openjdk-[0-9]*-jre-headless\)$/\1/p')
    fi
    unpack_each "$PADV_JAVA" "${more[@]}"
    find "$PADV_JAVA" -type l -lname '/etc/*' | while read -r link; do
        ln -sfn "$PADV_JAVA$(readlink "$link")" "$link"
    done
}

# More pools, drivers and proxies. Of Go only what compiles the drivers: the packages depend on much that
# they need for their own tests.
fetch_more_pools() {
    local go
    say "== fetching more pools"
    unpack_all "$PADV_POOLS" pgbouncer pgpool2 ruby-pg ruby-sequel ruby-activerecord \
        python3-asyncpg python3-django gunicorn
    command -v apt-get >/dev/null || return 0
    go=$(apt-cache depends golang-go | sed -n 's/^ *Depends: \(golang-1[0-9.]*-go\)$/\1/p')
    unpack_each "$PADV_POOLS" "$go" "${go%-go}-src" golang-github-lib-pq-dev \
        golang-github-jackc-{pgx-v4,pgconn,pgio,pgpassfile,pgproto3-v2,pgservicefile,pgtype,puddle,chunkreader-v2}-dev \
        golang-golang-x-{crypto,text}-dev
    install_npm pg knex sequelize || say "   could not get Knex and Sequelize: their tests are skipped"
    generate_prisma || say "   could not get Prisma: its tests are skipped"
    chmod -R a+rX "$PADV_POOLS"
}

# install_npm PACKAGE...: of npm, with what they need; none of their own scripts is run
install_npm() {
    npm install --silent --no-audit --no-fund --ignore-scripts --fetch-retries=0 --fetch-timeout=20000 \
        --cache "$WORK/npm" --prefix "$PADV_POOLS/npm" "$@" >>"$WORK/apt.log" 2>&1
}

# Prisma's client is generated, beside its packages. The tool would fetch a program to change schemas
# with, unless it is told of one; it is not run for this.
generate_prisma() {
    install_npm prisma @prisma/client @prisma/adapter-pg || return 1
    cp "${BASH_SOURCE[0]%/*}/pools/schema.prisma" "$PADV_POOLS/npm"
    env HOME="$WORK/npm" PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 \
        node "$PADV_POOLS/npm/node_modules/prisma/build/index.js" generate \
        --schema "$PADV_POOLS/npm/schema.prisma" >>"$WORK/apt.log" 2>&1
}

# Of these packages and what they need, those that are not installed.
missing_packages() {
    apt-get install -s --no-install-recommends "$@" 2>/dev/null | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# --- a server of ours -------------------------------------------------------

# start_server NAME [SETTING...]: its socket is in $WORK/tmp, and only there. What
# an earlier one of that name left is removed.
start_server() {
    local name=$1 setting
    shift
    rm -rf "${WORK:?}/$name"
    as_user "$PG_BIN/initdb" -D "$WORK/$name" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    {
        say "listen_addresses = ''"
        say "unix_socket_directories = '$WORK/tmp'"
        for setting in "$@"; do say "$setting"; done
    } | as_user tee -a "$WORK/$name/postgresql.conf" >/dev/null
    control_server "$name" start
}

# control_server NAME start|restart|stop
control_server() {
    if ! as_user "$PG_BIN/pg_ctl" -D "$WORK/$1" -l "$WORK/tmp/$1.log" -w -s -m fast "$2" \
        </dev/null >"$WORK/pg_ctl.log" 2>&1; then
        cat "$WORK/pg_ctl.log" "$WORK/tmp/$1.log" >&2
        fail "could not $2 the server"
    fi
}

# What the caller's libpq goes by is of another server. Names with an underscore are not libpq's.
for variable in $(compgen -e PG); do
    case $variable in
        *_* | PGCTLTIMEOUT) ;;
        *) unset "$variable" ;;
    esac
done
unset variable

# A port is only a name for a socket in a folder of ours.
export PGPORT=54329 PGUSER=postgres PGDATABASE=postgres
psql_do() { as_user "$PG_BIN/psql" -X -q -h "$WORK/tmp" "$@"; }
