# pool_advisor: build with PGXS; test/README.md tells what the other targets do.

MODULE_big = pool_advisor
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/core/*/*.c)))
PG_CPPFLAGS = -I$(srcdir)/src

EXTENSION = pool_advisor
DATA = $(wildcard sql/pool_advisor--*.sql)
DOCS = $(wildcard doc/*.md)

# Every suite starts its own preloaded server. The case test_setup makes what the others call.
REGRESS = test_setup $(filter-out test_setup pool_advisor--%,$(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql))))
REGRESS_OPTS = --temp-instance=./tmp_check --temp-config=test/pool_advisor.conf
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation $(REGRESS_OPTS)
TAP_TESTS = 1
PROVE_TESTS ?= test/t/*.pl

PG_CONFIG = pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

all:

# On a bare machine there is no PGXS yet; the targets below install it.
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
# In a folder of our own, as others have an uninstall.md, too; the pages in doc/ beneath it, so that
# links between them and README.md hold. PGXS makes only the folder of DOCS, and does not remove it.
readmedir := $(docmoduledir)/$(EXTENSION)
docmoduledir := $(readmedir)/doc
install: install-readme
install-readme: installdirs
	$(INSTALL_DATA) '$(srcdir)/README.md' '$(DESTDIR)$(docdir)/$(readmedir)/'
uninstall: uninstall-docs
uninstall-docs:
	rm -f $(addprefix '$(DESTDIR)$(docdir)/$(docmoduledir)'/, $(notdir $(DOCS))) '$(DESTDIR)$(docdir)/$(readmedir)/README.md'
	-rmdir '$(DESTDIR)$(docdir)/$(docmoduledir)' '$(DESTDIR)$(docdir)/$(readmedir)'
.PHONY: install-readme uninstall-docs
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

# Longer checks, each with a script that tells what it needs.
analyze:
	@$(SCRIPT_ENV) bash test/analyze.sh

fuzz:
	@bash test/fuzz/run.sh

package:
	@bash test/package.sh

test-matrix:
	@bash test/matrix.sh

test-cassert:
	@bash test/instrumented.sh assertions

test-sanitizers:
	@bash test/instrumented.sh sanitizers

test-valgrind:
	@bash test/instrumented.sh valgrind

# What is committed, as PGXN wants it.
DISTVERSION = $(shell sed -n 's/^ *"version": "\(.*\)",$$/\1/p' META.json | head -n 1)

dist:
	@perl test/check_meta.pl
	git archive --format zip --prefix=$(EXTENSION)-$(DISTVERSION)/ -o $(EXTENSION)-$(DISTVERSION).zip HEAD

.PHONY: test demo bench lint analyze fuzz package test-matrix test-cassert test-sanitizers test-valgrind dist
