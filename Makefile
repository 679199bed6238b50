# pool_advisor: build with PGXS; README.md tells what the other targets do.

MODULE_big = pool_advisor
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/core/*.c src/machine/*.c src/limits/*.c src/admission/*.c src/sql/*.c)))
PG_CPPFLAGS = -I$(srcdir)/src

EXTENSION = pool_advisor
DATA = $(wildcard sql/pool_advisor--*.sql)

# Every suite starts its own preloaded server.
REGRESS = $(filter-out pool_advisor--%,$(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql))))
REGRESS_OPTS = --temp-instance=./tmp_check --temp-config=test/pool_advisor.conf
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation $(REGRESS_OPTS)
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

PG_CONFIG = pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

all:

# On a bare machine there is no PGXS yet; the targets below install it.
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
all install installcheck:
	@echo "$(PG_CONFIG) has no PGXS: install the server's development files, or give PG_CONFIG" >&2
	@exit 1
endif

# A version is used that is asked for, or the newest that is installed.
ifeq ($(origin PG_CONFIG),file)
SCRIPT_ENV = PG_CONFIG=
else
SCRIPT_ENV = PG_CONFIG='$(PG_CONFIG)'
endif

test:
	@$(SCRIPT_ENV) bash test/run.sh

demo:
	@$(SCRIPT_ENV) bash test/demo.sh

bench:
	@$(SCRIPT_ENV) bash test/bench/run.sh

lint:
	@$(SCRIPT_ENV) bash test/lint.sh

# needs clang; FUZZ_SECONDS for each target
FUZZ_SECONDS = 60
FUZZ_DIR := $(or $(TMPDIR),/tmp)

fuzz:
	@for target in test/fuzz/fuzz_*.c; do \
	    folder=$$(mktemp -d "$(FUZZ_DIR)/pool_advisor.fuzz.XXXXXX") && \
	    clang -std=gnu99 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	        -Wall -Wextra -Werror -Isrc -o "$$folder/fuzz" "$$target" src/core/*.c -lm && \
	    mkdir "$$folder/corpus" && \
	    "$$folder/fuzz" -max_total_time=$(FUZZ_SECONDS) -max_len=20000 \
	        -artifact_prefix="$$folder/" "$$folder/corpus" && \
	    rm -rf "$$folder" || exit 1; \
	done

.PHONY: test demo bench lint fuzz
