#!/usr/bin/env bash
# What can be checked without running: warnings as errors with the compilers
# that are there, the layout, and rules of the project. Prints TAP.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

PG_CONFIG=${PG_CONFIG:-pg_config}
COUNT=0
FAILED=0

# check NAME: what the standard input says is wrong; nothing is right
check() {
    local found
    found=$(cat)
    COUNT=$((COUNT + 1))
    if [ -z "$found" ]; then
        printf 'ok %d - %s\n' "$COUNT" "$1"
    else
        printf 'not ok %d - %s\n%s\n' "$COUNT" "$1" "$found"
        FAILED=$((FAILED + 1))
    fi
}

# skip NAME WHY
skip() {
    COUNT=$((COUNT + 1))
    printf 'ok %d # skip %s: %s\n' "$COUNT" "$1" "$2"
}

DOCS=(README.md doc/*.md)
SOURCES=$(find src -name '*.[ch]' | sort)
CODE=$(find src test -name '*.[ch]' | sort)

# The PostgreSQL that was asked for, and the others that are installed.
versions() {
    local config
    for config in "$PG_CONFIG" /usr/lib/postgresql/*/bin/pg_config; do
        if [ -e "$("$config" --includedir-server 2>/dev/null)/postgres.h" ]; then
            printf '%s|%s\n' "$("$config" --version)" "$("$config" --includedir-server)"
        fi
    done | sort -t '|' -u -k 1,1
}

# compile_with COMPILER HEADERS: the server's headers are not ours to mend; PostgreSQL
# itself is compiled with _GNU_SOURCE here, and so is what is built by PGXS
compile_with() {
    find src -name '*.c' | sort | xargs -P "$(nproc)" -n 8 \
        "$1" -std=gnu11 -D_GNU_SOURCE -O2 -fsyntax-only -Wall -Wextra -Wdeclaration-after-statement \
        -Werror -Isrc -isystem "$2" -isystem /usr/include/libxml2 2>&1
}
while IFS='|' read -r version include; do
    for compiler in gcc clang; do
        if command -v "$compiler" >/dev/null; then
            check "no warning from $compiler -Wall -Wextra for $version" < <(compile_with "$compiler" "$include")
        else
            skip "warnings of $compiler for $version" 'it is not installed'
        fi
    done
done < <(versions)

# What must not be called, and why.
#   sprintf, vsprintf, strcpy, strcat, gets: write without a bound
#   strncpy, strncat: leave out the NUL, or a part, and say nothing
#   strtok, localtime, gmtime, ctime, asctime, rand, srand: keep state for all of the process
#   atoi, atol, atof, sscanf: take what is no number, or too large, for one
#   system, popen, fork, exec: a backend starts no process
#   sleep, usleep, nanosleep: hear no interrupt and no end of the postmaster
#   exit, _exit, abort, assert: end a backend past its callbacks, or all backends
#   signal, alarm, getenv, setenv, setlocale, tmpnam, mktemp: belong to the server
#   alloca: grows the stack by what others say
BANNED='v?sprintf|str(cpy|cat|ncpy|ncat|tok)|gets|(local|gm|c|asc)time|s?rand|ato[ilf]|sscanf'
BANNED+='|system|popen|fork|exec[lv]p?e?|u?sleep|nanosleep|_?exit|abort|assert|signal|alarm'
BANNED+='|[gs]etenv|setlocale|tmpnam|mktemp|alloca'

# Memory is the server's, which gives it back after an error; `machine/` is
# plain C and frees what it took in the same function, as no error gets past it.
taken_memory() { grep -nE '\b(malloc|calloc|realloc|strdup|free)\(' "$@"; }

# An error that users can meet has a code of its own. elog() is for what cannot
# happen, and has one that says so, as a WARNING has.
without_code() {
    awk '/ereport\((ERROR|FATAL|PANIC)/ { report = FILENAME ":" FNR ": " $0; line = FNR }
        report && /errcode\(/ { report = "" }
        report && FNR > line + 1 { print report; report = "" }' "$@"
}

# Which folder of src/ includes which: one line for each pair; the files of src/ itself are not named.
folder_edges() {
    grep -rhoH '#include "[a-z_/]*/[a-z_]*\.h"' src --include='*.[ch]' |
        sed -nE 's|^src/([a-z/]+)/[a-z_0-9]+\.[ch]:#include "([a-z/]+)/[a-z_]+\.h"$|\1 \2|p' |
        sort -u | while read -r from to; do
        if [ "$from" != "$to" ] && [ -d "src/$to" ]; then echo "$from $to"; fi
    done
}

# One folder is one kind of process: hooks/ is the client backend, worker/ the background
# workers, sql/ the functions that read; they meet in shmem/ only.
folder_rules() {
    folder_edges | awk '
        $1 == "hooks" && $2 ~ /^(worker|sql|machine)/ ||
        $1 == "worker" && $2 ~ /^(hooks|sql)/ ||
        $1 == "sql" && $2 ~ /^(hooks|worker)/ ||
        $1 == "shmem" && $2 ~ /^(hooks|worker|sql)/ ||
        $1 ~ /^(core|machine)/ && $2 !~ /^core/ { print $1 " includes " $2 }'
}

# Under a spinlock or an LWLock nothing is allocated or raised. From the call that takes the lock
# to the one that releases it, in the order of the lines.
under_lock() {
    awk '/^}/ { held = 0 }
        /(SpinLock|LWLock)Release\(/ { held = 0 }
        held && /(^|[^A-Za-z_])(palloc0?|pfree|repalloc|ereport|elog|MemoryContextAlloc[A-Za-z]*)\(/ { print FILENAME ":" FNR ": " $0 }
        /(SpinLock|LWLock)Acquire\(/ { held = 1 }' "$@"
}

# shellcheck disable=SC2086 # a list of files
rules() {
    check 'versions are told apart in compat.h only' \
        < <(grep -nE '\b(PG_VERSION_NUM|PG_MAJORVERSION_NUM|PG_VERSION)\b' $SOURCES | grep -v '^src/compat\.h:')
    check 'no banned call' \
        < <(grep -nE "(^|[^>.a-zA-Z0-9_\"])($BANNED) ?\(" $SOURCES | grep -vE ':[[:space:]]*(/?\*|//)')
    # a setting's extra must be from malloc before 16, as the server frees it
    check 'memory is the server'"'"'s' < <(taken_memory $SOURCES | grep -vE '^src/machine/|define padv_guc_alloc')
    check 'every error has a code' < <(without_code $SOURCES)
    check 'core and machine are plain C' \
        < <(grep -nE '#include "' src/core/*/*.[ch] src/machine/*.[ch] | grep -vE '"(core|machine)/')
    check 'folders include only what is below them' < <(folder_rules)
    check 'nothing is allocated or raised under a lock' < <(under_lock src/{shmem,worker,hooks,sql}/*.c)
    check 'no circle of folders' < <(folder_edges | tsort 2>&1 >/dev/null)
    check 'no two files have the same name' < <(printf '%s\n' $SOURCES | sed 's|.*/||' | sort | uniq -d)
    check 'core does not know the machine' < <(grep -lE '#include "machine/' src/core/*/*.[ch])
    check 'core has no global variable' \
        < <(grep -nE '^(static )?[A-Za-z_][A-Za-z0-9_ ]* \**[a-z_0-9]+(\[[^]]*\])*( = .*)?;$' src/core/*/*.c |
            grep -vE '\b(const|extern|typedef|return)\b')
    check 'no white space at the end of a line' \
        < <(grep -nE '[[:space:]]+$' $CODE sql/*.sql test/t/*.p[lm] test/*.sh test/*/*.sh)
    check 'no endless file' \
        < <(wc -l $SOURCES | awk '$2 != "total" && $1 > 1000 { print $2 " has " $1 " lines" }')
}
rules

# pgindent comes with the server's development files from PostgreSQL 17 on.
if why=$(perl test/pgindent.pl --there 2>&1); then
    check 'the layout is pgindent'"'"'s' < <(perl test/pgindent.pl 2>&1)
else
    skip layout "$why"
fi

check 'META.json is valid' < <(perl test/check_meta.pl META.json 2>&1)

# what is there is documented
settings_without_words() {
    sed -n 's/.*PREFIX "\(\.[a-z_]*\)".*/pool_advisor\1/p' src/settings.c | sort -u | while read -r setting; do
        grep -q "\`$setting\`" "${DOCS[@]}" || echo "$setting"
    done
}
objects_without_words() {
    sed -n 's/^CREATE \(VIEW\|FUNCTION\) pool_advisor\.\([a-z][a-z_]*\).*/\2/p' sql/pool_advisor--*.sql |
        sort -u | while read -r object; do
        case $object in
            *_brief) grep -qF "\`$object\`" "${DOCS[@]}" || echo "$object" ;;
            *) grep -qE "^##+ $object\b" "${DOCS[@]}" || echo "$object" ;;
        esac
    done
}
# The section of a view or a function; that of the table is its function's, and the narrow views
# have one for all.
section() {
    local name=$1
    case $name in
        declared_pools) name=declare_pool ;;
        *_brief) name='The narrow views' ;;
    esac
    awk -v name="$name" '/^##+ / || FNR == 1 { on = $0 ~ "^##+ " name "([^a-z_]|$)" } on' "${DOCS[@]}"
}
view_columns() {
    sed -nE 's/^ ([a-z_]+) +\| ([a-z_0-9]+) +\| [a-z].*/\1 \2/p' expected/extension.out | grep -v '^table_name '
}
# Those of a narrow view that the wide one has are explained there.
explained_columns() {
    view_columns | awk '{ all[$1 " " $2] = 1 } END { for (c in all) { wide = c; if (!sub(/_brief /, " ", wide) || !(wide in all)) print c } }'
}
view_columns_without_words() {
    [ "$(view_columns | wc -l)" -gt 100 ] || echo 'expected/extension.out does not list the columns'
    explained_columns | while read -r view column; do
        # grep reads to the end, or awk would fail at a closed pipe
        section "$view" | grep -w -e "$column" >/dev/null || echo "$view.$column"
    done
}
# The names in backticks of src/README.md are in the code, and not in comments of it only.
# shellcheck disable=SC2086 # a list of files
unknown_names() {
    perl -0777 -e '
        my %known;
        for (@ARGV[1 .. $#ARGV]) {
            open my $code, "<", $_ or die "$_: $!\n";
            my $text = <$code> =~ s{/\*.*?\*/}{ }grs;
            $known{$_} = 1 for $text =~ /\w+/g;
        }
        open my $map, "<", $ARGV[0] or die "$ARGV[0]: $!\n";
        my %names = map { $_ => 1 } <$map> =~ /`([A-Za-z_]\w*)(?:\(\))?`/g;
        print "$_\n" for grep { !$known{$_} } sort keys %names;' src/README.md $SOURCES
}
tests_without_words() {
    for file in test/t/*.p[lm] test/unit/*.[ch] test/fuzz/*.c test/isolation/specs/*.spec test/bench/*.c test/*.sh; do
        grep -qF "\`${file#test/}\`" test/README.md || echo "$file"
    done
    sed -n "s/^PARTS='\(.*\)'/\1/p" test/bench/run.sh | tr ' ' '\n' | while read -r part; do
        grep -qE "^\| $part( |$)" test/README.md || echo "bench $part"
    done
}
# REVOKE and GRANT name the object that was created last; what only some may see has both.
grants_elsewhere() {
    awk 'function done_with() {
            if (shown && grants != 2) print object ": " grants + 0 " of REVOKE and GRANT stand after it"
        }
        /^CREATE (VIEW|TABLE|FUNCTION) pool_advisor\./ {
            done_with()
            object = $3; sub(/\(.*/, "", object)
            shown = $2 != "FUNCTION" || object ~ /\._/; grants = 0
        }
        /^(REVOKE|GRANT) .* ON (FUNCTION )?pool_advisor\./ {
            on = $0; sub(/.* ON (FUNCTION )?/, "", on); sub(/[ (].*/, "", on)
            if (on == object) grants++; else print FILENAME ":" FNR ": " $0
        }
        END { done_with() }' sql/pool_advisor--1.0.sql
}
# The codes of all advice: a literal in each call that begins one. A call that passes on its own
# argument is none, and nothing else writes a code.
advice_codes() {
    # shellcheck disable=SC2016 # the variables are perl's
    perl -0777 -ne '
        while (/\b(?:padv_advice_)?begin\(([^;{}]*)\);/g) {
            my ($call, $code) = ($1, $1 =~ /"([a-z_]+)"/);
            if (defined $code) { print "$code\n" }
            elsif ($call !~ /, code,/) { print "$ARGV: no code in begin($call)\n" }
        }
        while (/->code = (?!code;)([^;]*);/g) { print "$ARGV: code = $1\n" }' src/core/advice/*.c
}
codes_without_words() {
    [ "$(advice_codes | sort -u | wc -l)" -ge 19 ] || echo 'not all codes are found'
    advice_codes | sort -u | while read -r code; do
        grep -qF "\`$code\`" "${DOCS[@]}" || echo "$code"
    done
}
cases_without_output() {
    for file in sql/*.sql; do
        case $file in
            *--*) ;;
            *) [ -e "expected/$(basename "$file" .sql).out" ] || echo "$file" ;;
        esac
    done
    for file in test/isolation/specs/*.spec; do
        [ -e "test/isolation/expected/$(basename "$file" .spec).out" ] || echo "$file"
    done
}
version_in_c() {
    grep -qF "#define PADV_VERSION \"$(sed -n "s/^default_version = '\(.*\)'/\1/p" pool_advisor.control)\"" \
        src/core/monitoring/metrics.h || echo 'PADV_VERSION is not default_version'
}
check 'the library knows its version' < <(version_in_c)
check 'the documentation names every setting' < <(settings_without_words)
check 'the documentation has a section for every view and function' < <(objects_without_words)
check 'the documentation names every column of every view' < <(view_columns_without_words)
check 'the documentation names every code of advice' < <(codes_without_words)
check 'every link leads to a page and a heading' \
    < <(perl test/docs.pl links "${DOCS[@]}" src/README.md test/README.md CHANGELOG.md 2>&1)
check 'sentences are short and plain' < <(perl test/docs.pl prose "${DOCS[@]}" 2>&1)
check 'README.md is short' < <(wc -l README.md | awk '$1 > 350 { print $2 " has " $1 " lines" }')
check 'REVOKE and GRANT stand after their object' < <(grants_elsewhere)
check 'src/README.md names what is there' < <(unknown_names)
check 'test/README names every test' < <(tests_without_words)
check 'every case has an expected output' < <(cases_without_output)

if command -v shellcheck >/dev/null; then
    check 'shellcheck' < <(shellcheck -x -P test test/*.sh test/*/*.sh .ci/run 2>&1)
else
    skip shellcheck 'it is not installed'
fi

printf '1..%d\n' "$COUNT"
[ "$FAILED" = 0 ]
