#!/usr/bin/env bash
# A Debian source package of the tree, and the packages that are built from it, one for each
# PostgreSQL whose development files are installed. They are looked at by lintian, installed
# into an empty root, upgraded, and purged from it. Then the zip file for PGXN is built from, and so
# is an RPM for each PostgreSQL, which rpmlint looks at. Prints TAP, and 'N passed, N failed' at the end.
#
#     bash test/package.sh [FOLDER]         FOLDER keeps the packages
#
# debian/ is made of test/debian, because the top of the tree has no place for it.
# shellcheck source=test/private_server.sh
source "$(dirname "${BASH_SOURCE[0]}")/private_server.sh"

OUTPUT=${1:-}
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
NAME=pool-advisor
VERSION=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$TOP/META.json" | head -n 1)
COUNT=0
PASSED=0

# check NAME COMMAND...: one case, with what it says if it fails
check() {
    local name=$1
    shift
    COUNT=$((COUNT + 1))
    if "$@" >"$WORK/check.log" 2>&1 </dev/null; then
        PASSED=$((PASSED + 1))
        say "ok $COUNT - $name"
    else
        say "not ok $COUNT - $name"
        tail -n 40 "$WORK/check.log"
    fi
}

need_package_tools() {
    local package missing=()
    for package in debhelper postgresql-server-dev-all lintian dpkg-dev unzip rpm rpmlint; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        say "installing: ${missing[*]}"
        install_packages "${missing[@]}"
    fi
}

# The server versions that can be built for, as pg_buildext wants them.
built_for() {
    local config
    for config in /usr/lib/postgresql/*/bin/pg_config; do
        if [ -e "$("$config" --pgxs)" ]; then "$config" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/'; fi
    done | sort -un | xargs
}

# The tree with debian/ in it, and the tarball that it is a change of.
make_source_package() {
    local tree=$WORK/build/$NAME-$VERSION
    mkdir -p "$WORK/build"
    copy_source
    mv "$WORK/source" "$tree"
    tar -c --sort=name --owner=0 --group=0 -C "$WORK/build" "$NAME-$VERSION" | gzip -n >"$WORK/build/${NAME}_$VERSION.orig.tar.gz"
    cp -r "$TOP/test/debian" "$tree/debian"
    chmod +x "$tree/debian/rules" "$tree/debian/tests/smoke"
    # one control file for all versions comes from control.in
    (cd "$tree" && PG_SUPPORTED_VERSIONS=$(built_for) pg_buildext updatecontrol) >"$WORK/check.log" 2>&1 || {
        cat "$WORK/check.log" >&2
        fail 'could not make debian/control'
    }
    give_to_user "$WORK/build" "$WORK/tmp"
}

build_packages() {
    run_child env --chdir="$WORK/build/$NAME-$VERSION" PG_SUPPORTED_VERSIONS="$(built_for)" DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" \
        dpkg-buildpackage -us -uc
}

has_package_for_each() {
    local version
    for version in $(built_for); do
        ls "$WORK/build/postgresql-$version-$NAME"_*.deb || return 1
    done
}

# lintian wants a root folder that its user may read
is_lintian_clean() {
    (cd "$WORK/build" && run_child lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs \
        "$WORK/build/${NAME}_$VERSION"-*.changes) && ! grep -qE '^[EW]:' "$WORK/check.log"
}

# What belongs to us in the empty root.
installed_files() { find "$WORK/root" -path '*/var/lib/dpkg' -prune -o \( -type f -o -type l \) -path '*pool*advisor*' -print; }

# dpkg has a database of our packages alone, so what they need is not looked at
make_root() {
    mkdir -p "$WORK/root/var/lib/dpkg/info" "$WORK/root/var/lib/dpkg/updates"
    : >"$WORK/root/var/lib/dpkg/status"
}

# dpkg_in_root OPTION...
dpkg_in_root() { dpkg --root="$WORK/root" --force-depends --force-not-root --force-bad-path --force-downgrade "$@"; }

install_into_root() { dpkg_in_root -i "$WORK/build"/postgresql-*-"$NAME"_*.deb; }

# has_all_files VERSION: library, control file, scripts and pages
has_all_files() {
    local root=$WORK/root script
    ls "$root/usr/lib/postgresql/$1/lib/pool_advisor.so" \
        "$root/usr/share/postgresql/$1/extension/pool_advisor.control" \
        "$root/usr/share/doc/postgresql-doc-$1/extension/pool_advisor/README.md" || return 1
    for script in "$TOP"/sql/pool_advisor--*.sql; do
        cmp "$script" "$root/usr/share/postgresql/$1/extension/${script##*/}" || return 1
    done
    for script in "$TOP"/doc/*.md; do
        cmp "$script" "$root/usr/share/doc/postgresql-doc-$1/extension/pool_advisor/doc/${script##*/}" || return 1
    done
}

# A version of before is in the root when this one comes: it has a file that is there no more, and
# the same one of the library with other contents.
upgrade_in_root() {
    local version package
    for package in "$WORK/build"/postgresql-*-"$NAME"_*.deb; do
        make_older "$package" || return 1
    done
    dpkg_in_root -i "$WORK/older"/*.deb || return 1
    for version in $(built_for); do
        [ -e "$WORK/root/usr/share/postgresql/$version/extension/pool_advisor--0.9.sql" ] || return 1
    done
    install_into_root || return 1
    for version in $(built_for); do
        has_all_files "$version" && [ ! -e "$WORK/root/usr/share/postgresql/$version/extension/pool_advisor--0.9.sql" ] || return 1
    done
}

# make_older PACKAGE: the same one, as version 0.9
make_older() {
    local tree=$WORK/older/tree
    rm -rf "$tree"
    mkdir -p "$WORK/older"
    dpkg-deb -R "$1" "$tree" &&
        sed -i 's/^Version: .*/Version: 0.9.0-1/' "$tree/DEBIAN/control" &&
        mv "$tree"/usr/share/postgresql/*/extension/pool_advisor--1.0.sql "$(echo "$tree"/usr/share/postgresql/*/extension)/pool_advisor--0.9.sql" &&
        : >"$(echo "$tree"/usr/lib/postgresql/*/lib)/pool_advisor.so" &&
        dpkg-deb -b "$tree" "$WORK/older/$(basename "$1")" &&
        rm -rf "$tree"
}

purge_from_root() {
    local version
    for version in $(built_for); do
        dpkg_in_root -P "postgresql-$version-$NAME" || return 1
    done
    [ -z "$(installed_files | tee /dev/stderr)" ]
}

# What PGXN gets is enough to build, and leaves nothing out that is installed.
build_from_zip() {
    local tree=$WORK/zip/pool_advisor-$VERSION
    mkdir -p "$WORK/zip"
    git -c safe.directory="$TOP" -C "$TOP" archive --format zip --prefix="pool_advisor-$VERSION/" -o "$WORK/zip/dist.zip" HEAD &&
        unzip -q "$WORK/zip/dist.zip" -d "$WORK/zip" &&
        perl -e 'chdir shift; exec "perl", "test/check_meta.pl"' "$tree" &&
        chmod -R a+rwX "$WORK/zip" && give_to_user "$WORK/zip" &&
        run_child make -s -C "$tree" PG_CONFIG="$PG_CONFIG" install DESTDIR="$WORK/zip/root" &&
        ls "$WORK/zip/root$("$PG_CONFIG" --pkglibdir)/pool_advisor.so" "$WORK/zip/root$("$PG_CONFIG" --sharedir)/extension/pool_advisor.control"
}

# --- RPM ---------------------------------------------------------------------

# The zip that the spec names as its source. What the spec needs to build is looked for by
# the names of other distributions, so it is not looked for here.
build_rpms() {
    local version
    mkdir -p "$WORK/rpm/SOURCES"
    cp "$WORK/zip/dist.zip" "$WORK/rpm/SOURCES/pool_advisor-$VERSION.zip"
    cp "$TOP/test/rpm/pool_advisor.spec" "$WORK/rpm/"
    give_to_user "$WORK/rpm"
    for version in $(built_for); do
        run_child env --chdir="$WORK/rpm" rpmbuild -ba --nodeps --define "_topdir $WORK/rpm" --define "pgmajorversion $version" \
            --define "pg_config /usr/lib/postgresql/$version/bin/pg_config" pool_advisor.spec || return 1
    done
}

is_rpmlint_clean() {
    (cd "$WORK/rpm" && run_child rpmlint -c "$TOP/test/rpm/rpmlint.toml" "$WORK/rpm/pool_advisor.spec" "$WORK"/rpm/RPMS/*/*.rpm "$WORK"/rpm/SRPMS/*.rpm) &&
        grep -q '0 errors, 0 warnings' "$WORK/check.log"
}

# They have the files that the Debian packages have, where that PostgreSQL looks for them.
has_all_files_in_rpms() {
    local version
    for version in $(built_for); do
        rpm -qlp "$WORK/rpm/RPMS"/*/"pool_advisor_$version-$VERSION"-*.rpm >"$WORK/rpm/files" || return 1
        (cd "$WORK/root" && find . -path "*/$version/*pool_advisor*" ! -path '*/bitcode*' -type f | sed 's/^.//') >"$WORK/rpm/wanted"
        [ -s "$WORK/rpm/wanted" ] && ! grep -vxF -f "$WORK/rpm/files" "$WORK/rpm/wanted" || return 1
    done
}

make_work_folder
need_packages
need_package_tools
say "== packages for PostgreSQL $(built_for)"
make_source_package
make_root
check 'the packages are built' build_packages
check 'there is one for each version' has_package_for_each
check 'lintian has no error and no warning' is_lintian_clean
check 'they can be installed' install_into_root
for version in $(built_for); do
    check "all files of $version are there" has_all_files "$version"
done
check 'they replace a version of before' upgrade_in_root
if git -c safe.directory="$TOP" -C "$TOP" rev-parse --git-dir >/dev/null 2>&1; then
    check 'it builds from the zip for PGXN' build_from_zip
    check 'RPMs are built from the zip' build_rpms
    check 'rpmlint has no error and no warning' is_rpmlint_clean
    check 'they have the files of the other packages' has_all_files_in_rpms
fi
check 'nothing is left after a purge' purge_from_root
if [ -n "$OUTPUT" ]; then
    mkdir -p "$OUTPUT"
    find "$WORK/build" -maxdepth 1 -type f -exec cp {} "$OUTPUT/" \;
    find "$WORK/rpm" -name '*.rpm' -exec cp {} "$OUTPUT/" \;
fi
say "1..$COUNT"
say "$PASSED passed, $((COUNT - PASSED)) failed"
[ "$PASSED" = "$COUNT" ]
