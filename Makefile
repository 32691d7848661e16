# e2ekeyd: `make help` lists the targets.
#
# Every room of src/ (a folder) becomes build/lib/ROOM.a; programs and tests link the rooms they need.

BUILD   ?= build
CC      ?= cc
prefix  ?= /usr/local
DESTDIR ?=

VERSION := 0.2.0

.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash

ifneq ($(words $(CURDIR)),1)
$(error a path with spaces ("$(CURDIR)") is not for make: clone into another)
endif

# --- flags -------------------------------------------------------------------------------------

WARNINGS  := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes \
             -Wmissing-prototypes -Wvla -Wundef -Werror
HARDENING := -fstack-protector-strong -fstack-clash-protection -fPIE -Wformat -Werror=format-security
ifneq ($(filter x86_64 amd64,$(shell uname -m)),)
HARDENING += -fcf-protection
endif
OPTIMISE  := -O2 -D_FORTIFY_SOURCE=2
LINKING   := -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed

ifdef SANITIZE
# Instrumentation misleads the warnings that follow values; the plain build has them.
OPTIMISE  := -O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
             $(if $(filter clang,$(CC)),,-Wno-format-truncation -Wno-maybe-uninitialized)
LINKING   := -pie -fsanitize=$(SANITIZE)
endif

CFLAGS   := -std=gnu17 -g $(OPTIMISE) $(HARDENING) $(WARNINGS) $(EXTRA_CFLAGS)
CPPFLAGS := -D_GNU_SOURCE -DE2EKEYD_VERSION='"$(VERSION)"' -Isrc
LDFLAGS  := $(LINKING) $(EXTRA_LDFLAGS)

# --- libraries ---------------------------------------------------------------------------------

# The private wolfSSL is one for all build folders, as it takes its time; but sanitizers see what
# happens inside it only in a build of its own.
WOLFSSL_DIR := $(if $(SANITIZE),$(BUILD),build)/wolfssl
WOLFSSL_READY := $(WOLFSSL_DIR)/lib/libwolfssl.a
WOLFSSL_CPPFLAGS := -isystem $(WOLFSSL_DIR)/include
WOLFSSL_LIBS     := $(WOLFSSL_DIR)/lib/libwolfssl.a -lm
P11_KIT_CPPFLAGS := -isystem /usr/include/p11-kit-1

SETUP := $(BUILD)/setup.done

# --- rooms: what each knows is what it links; scripts/check-includes holds #include to the same --

ROOMS := base observe identity policy policy_load x509 token trust tls keys esprim onem2m exchange http query outbound client

DEPS_base        :=
DEPS_observe     := base
DEPS_identity    := base
DEPS_policy      := identity base
DEPS_policy_load := policy identity base
DEPS_x509        := identity base
DEPS_token       := x509 identity observe base
DEPS_trust       := x509 policy identity observe base
DEPS_tls         := trust token x509 policy identity observe base
DEPS_keys        := identity base
DEPS_esprim      := identity base
DEPS_onem2m      := policy identity base
DEPS_exchange    := onem2m esprim keys tls trust token x509 policy identity observe base
DEPS_http        := exchange onem2m esprim keys tls trust token x509 policy identity observe base
DEPS_query       := keys policy identity observe base
DEPS_outbound    := onem2m token x509 policy identity observe base
DEPS_client      :=

LIBS_observe     := -lsystemd
LIBS_policy_load := -ljansson
LIBS_x509         = $(WOLFSSL_LIBS)
LIBS_token       := -lgnutls -lp11-kit
LIBS_onem2m      := -ljansson
LIBS_http        := -lmicrohttpd -lgnutls
LIBS_query       := -lsystemd -ljansson
LIBS_outbound    := -lcurl -lgnutls -lsystemd -ljansson
LIBS_client      := -ljansson
LIBS_ctl         := -lcurl -ljansson -lsystemd

objects   = $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/$(1)/*.c))
archives  = $(foreach room,$(1),$(BUILD)/lib/$(room).a)
libraries = $(foreach room,$(1),$(LIBS_$(room))) -lpthread

DAEMON_ROOMS := http exchange query outbound onem2m esprim tls trust token x509 keys policy_load policy identity observe base
CTL_ROOMS    := client onem2m tls trust token x509 policy_load policy identity observe base

PROGRAMS  := $(BUILD)/e2ekeyd $(BUILD)/e2ekeyctl
LIBE2EKEY := $(addprefix $(BUILD)/libe2ekey,.so.0 .a)

# One line a step; make V=1 shows the commands.
ifdef V
COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS)
LINK    = $(CC) $(LDFLAGS) -o $@
else
COMPILE = @echo "  CC   $<"; $(CC) $(CPPFLAGS) $(CFLAGS)
LINK    = @echo "  LD   $@"; $(CC) $(LDFLAGS) -o $@
endif

# --- programs ----------------------------------------------------------------------------------

#: make                  builds the daemon, the command line and the library
.PHONY: all
all: $(PROGRAMS) $(LIBE2EKEY)

$(BUILD)/e2ekeyd: $(call objects,daemon) $(call archives,$(DAEMON_ROOMS)) $(WOLFSSL_READY)
	$(LINK) $(filter %.o %.a,$(filter-out $(WOLFSSL_DIR)/%,$^)) $(call libraries,$(DAEMON_ROOMS))

$(BUILD)/e2ekeyctl: $(call objects,ctl) $(call archives,$(CTL_ROOMS)) $(WOLFSSL_READY)
	$(LINK) $(filter %.o %.a,$(filter-out $(WOLFSSL_DIR)/%,$^)) $(LIBS_ctl) $(call libraries,$(CTL_ROOMS))

define room_rule
$(BUILD)/lib/$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@ && ar rcsD $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))

# --- libe2ekey: the room client once more, for programs of others --------------------------------

CLIENT_PIC := $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard src/client/*.c))

$(CLIENT_PIC): CFLAGS := $(filter-out -fPIE,$(CFLAGS)) -fPIC -fvisibility=hidden
$(BUILD)/pic/%.o: %.c | $(SETUP)
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/libe2ekey.so.0: LDFLAGS := $(filter-out -pie,$(LDFLAGS)) -shared -Wl,-soname,libe2ekey.so.0
$(BUILD)/libe2ekey.so.0: $(CLIENT_PIC)
	$(LINK) $^ $(LIBS_client) -lpthread

# One object, out of which only what e2ekey.h declares can be seen.
$(BUILD)/libe2ekey.a: $(CLIENT_PIC)
	@echo "  AR   $@"
	@ld -r -o $(BUILD)/pic/e2ekey.o $^
	@objcopy --localize-hidden $(BUILD)/pic/e2ekey.o
	@rm -f $@ && ar rcsD $@ $(BUILD)/pic/e2ekey.o

# The rooms that see wolfSSL's headers.
WOLFSSL_USERS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/x509/*.c src/tls/*.c tests/unit/tls/*.c tests/bench/*.c))
$(WOLFSSL_USERS): CPPFLAGS += $(WOLFSSL_CPPFLAGS)
$(WOLFSSL_USERS): | $(WOLFSSL_READY)
$(BUILD)/src/token/token.o: CPPFLAGS += $(P11_KIT_CPPFLAGS)

# What prints the version is compiled again when that changes.
$(patsubst %.c,$(BUILD)/%.o,$(shell grep -lw E2EKEYD_VERSION src/*/*.c)): Makefile

# varlink's interface definitions stand in the binary as they stand in their files.
$(BUILD)/src/query/service.o: $(wildcard src/query/*.varlink)
$(BUILD)/src/query/%.o: CPPFLAGS += -Wa,-Isrc/query

$(BUILD)/%.o: %.c | $(SETUP)
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/src $(BUILD)/pic $(BUILD)/tests -name '*.d' 2>/dev/null)

# --- set-up ------------------------------------------------------------------------------------

$(SETUP): scripts/setup
	@scripts/setup
	@mkdir -p $(@D) && touch $@

$(WOLFSSL_DIR)/lib/libwolfssl.a: scripts/build-wolfssl scripts/wolfssl.patch | $(SETUP)
	scripts/build-wolfssl $(WOLFSSL_DIR) $(CC) $(SANITIZE)

# --- tests -------------------------------------------------------------------------------------

TESTS :=

# A test is test_*.c; what several tests of a room share stands beside them under other names.
# Rooms about certificates share those of tests/unit/x509.
TEST_LIBS_x509 := -lcrypto
TEST_LIBS_trust := -lcrypto
TEST_LIBS_token := -lcrypto
TEST_LIBS_tls := -lcrypto
TEST_LIBS_exchange := -lcrypto
TEST_SHARES_trust := x509
TEST_SHARES_tls := x509 trust
TEST_SHARES_exchange := x509
TEST_SHARES_policy_load := policy
# The policies of its tests come from files.
TEST_ROOMS_policy := policy_load
TEST_ROOMS_query := policy_load
TEST_ROOMS_exchange := policy_load
shared = $(patsubst %.c,$(BUILD)/%.o,$(foreach room,$(1) $(TEST_SHARES_$(1)),$(filter-out tests/unit/$(room)/test_%,$(wildcard tests/unit/$(room)/*.c))))

define unit_test # room, source
TESTS += $(BUILD)/$(basename $(2))
$(BUILD)/$(basename $(2)): $(BUILD)/$(basename $(2)).o $(call shared,$(1)) $(call archives,$(TEST_ROOMS_$(1)) $(1) $(DEPS_$(1))) $(if $(filter x509,$(1) $(DEPS_$(1))),$(WOLFSSL_READY))
	$$(LINK) $$(filter %.o %.a,$$(filter-out $(WOLFSSL_DIR)/%,$$^)) -lcheck -lsubunit -lrt -lm $(TEST_LIBS_$(1)) $(call libraries,$(TEST_ROOMS_$(1)) $(1) $(DEPS_$(1)))
check-unit-$(1):: $(BUILD)/$(basename $(2))
	scripts/run-tests $$^
endef
$(foreach room,$(ROOMS),$(foreach test,$(wildcard tests/unit/$(room)/test_*.c),$(eval $(call unit_test,$(room),$(test)))))

# The foreign initiators: each stack's program, over the common line driver.
INITIATORS := $(addprefix $(BUILD)/tests/interop/,openssl gnutls mbedtls)
LIBS_openssl := -lssl -lcrypto
LIBS_gnutls  := -lgnutls
LIBS_mbedtls := -lmbedtls -lmbedx509 -lmbedcrypto

$(BUILD)/tests/%.o: CPPFLAGS += -Itests
$(INITIATORS): %: %.o $(BUILD)/tests/interop/initiator.o $(call archives,base)
	$(LINK) $^ $(LIBS_$(@F))

.PHONY: initiators
initiators: $(INITIATORS)

# Integration tests: programs that start the real daemon, and scripts that do.
SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
INTEGRATION := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/integration/test_*.c))
SCRIPTED := $(shell find tests/integration tests/interop -type f -perm -u+x | sort)

$(INTEGRATION): %: %.o $(SUPPORT) $(call archives,$(CTL_ROOMS)) $(WOLFSSL_READY)
	$(LINK) $(filter %.o %.a,$(filter-out $(WOLFSSL_DIR)/%,$^)) -lcheck -lsubunit -lrt -lm $(LIBS_ctl) $(call libraries,$(CTL_ROOMS))

# Faults: the real daemon with a shim preloaded, through which its calls fail when a test says so. A
# sanitizer lets nothing be preloaded. Nor does it find anything in what is about others' programs or
# about files.
ifdef SANITIZE
SCRIPTED := $(filter-out $(addprefix tests/integration/,acme-plugin check-includes deployments example-policies \
    install proxies),$(SCRIPTED))
else
FAULTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/faults/test_*.c))
endif
SHIM := $(BUILD)/tests/faults/shim.so

$(SHIM): tests/faults/shim.c tests/faults/shim.h | $(SETUP)
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) -std=gnu17 -D_GNU_SOURCE -Itests -g -O2 $(WARNINGS) -fPIC -shared -o $@ $<

$(FAULTS): %: %.o $(BUILD)/tests/faults/inject.o $(SUPPORT) $(call archives,$(CTL_ROOMS)) $(WOLFSSL_READY) | $(SHIM)
	$(LINK) $(filter %.o %.a,$(filter-out $(WOLFSSL_DIR)/%,$^)) -lcheck -lsubunit -lrt -lm $(LIBS_ctl) $(call libraries,$(CTL_ROOMS))

#: make check            sets up, builds, and runs all tests
.PHONY: check
check: all $(TESTS) $(INTEGRATION) $(FAULTS) $(INITIATORS)
	@BUILD=$(BUILD) scripts/run-tests $(TESTS) $(INTEGRATION) $(FAULTS) $(SCRIPTED)

#: make check-unit-ROOM  the unit tests of one room (a folder of src/)

#: make sanitize         make check, built with the address and undefined-behaviour sanitizers
.PHONY: sanitize sanitize-thread
sanitize:
	+@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize SANITIZE=address,undefined check

#: make sanitize-thread  the tests with threads, built with the thread sanitizer
# Without those in which one request follows the other, or which wait most of the time.
THREADED := $(filter %_threads,$(TESTS)) $(filter-out %/test_zoo %/test_watchdog %/test_abandoned %/test_subscribers,$(INTEGRATION))
.PHONY: check-threads
check-threads: all $(THREADED) $(INITIATORS)
	@BUILD=$(BUILD) scripts/run-tests $(THREADED)
sanitize-thread:
	+@$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize-thread SANITIZE=thread check-threads

#: make check-systemd    the service under a systemd of its own, in a copy of this system; root only
MACHINED := $(sort $(shell find tests/systemd -type f -perm -u+x))
.PHONY: check-systemd
check-systemd: all deb $(INTEGRATION) $(INITIATORS)
	@BUILD=$(BUILD) scripts/run-tests $(MACHINED)

#: make check-valgrind   one run of the daemon under valgrind's memcheck
.PHONY: check-valgrind
check-valgrind: all
	@BUILD=$(BUILD) scripts/run-tests tests/faults/valgrind

#: make demo             one key established and read, told step by step
.PHONY: demo
demo: all $(BUILD)/tests/interop/openssl
	@BUILD=$(BUILD) scripts/demo

#: make bench            what an exchange and a look-up cost beside their peers (build/bench.json)
BENCH := $(BUILD)/tests/bench/bench
$(BENCH): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/*.c)) $(SUPPORT) $(call archives,$(CTL_ROOMS)) $(WOLFSSL_READY)
	$(LINK) $(filter %.o %.a,$(filter-out $(WOLFSSL_DIR)/%,$^)) -lcheck -lsubunit -lrt -lm $(LIBS_ctl) $(call libraries,$(CTL_ROOMS))
.PHONY: bench
bench: all $(BENCH)
	@BUILD=$(BUILD) $(BENCH) $(BUILD)/bench.json

# --- load: programs that keep a daemon busy, for scripts/soak ----------------------------------------

LOADS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/load/*.c))
$(LOADS): %: %.o $(SUPPORT) $(call archives,$(CTL_ROOMS)) $(WOLFSSL_READY)
	$(LINK) $(filter %.o %.a,$(filter-out $(WOLFSSL_DIR)/%,$^)) -lcheck -lsubunit -lrt -lm $(LIBS_ctl) $(call libraries,$(CTL_ROOMS))

# --- fuzzing: tests/fuzz/fuzz_TARGET.c, by clang's libFuzzer, with sanitizers, wolfSSL's code too ----

# The table says which rooms a target links and which files it aims at.
FUZZERS := $(shell sed -n 's/^\([a-z][a-z0-9_]*\) .*/\1/p' tests/fuzz/targets)
fuzz_rooms = $(subst +, ,$(shell awk '$$1 == "$(1)" { print $$2 }' tests/fuzz/targets))

# These would differ from run to run, or hide the input: calls go to functions of the targets.
FUZZ_WRAPPED := getrandom write clock_wall_s clock_wall_us clock_steady_s clock_steady_ms clock_steady_us
FUZZ_WRAPPED_client := send
FUZZ_WRAPPED_credential_name := gnutls_pkcs11_init
FUZZ_WRAPPED_exchange := TLS_hmac wc_AesGcmEncrypt_ex wc_AesCcmEncrypt_ex

# What targets share; each links what it calls.
FUZZ_SHARED := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c)))
$(BUILD)/lib/fuzz.a: $(FUZZ_SHARED)
	@mkdir -p $(@D)
	@rm -f $@ && ar rcsD $@ $^

# A room with all that it needs, each once, those that need others first.
fuzz_needs = $(foreach room,$(DAEMON_ROOMS) client,$(if $(filter $(room),x509 $(DEPS_x509) $(1) $(foreach each,$(1),$(DEPS_$(each)))),$(room)))

define fuzz_rule # target, its rooms
$(BUILD)/tests/fuzz/fuzz_$(1): $(BUILD)/tests/fuzz/fuzz_$(1).o $(BUILD)/lib/fuzz.a $(call archives,$(call fuzz_needs,$(2))) $(WOLFSSL_READY)
	$$(LINK) -fsanitize=fuzzer $(patsubst %,-Wl$(comma)--wrap=%,$(FUZZ_WRAPPED) $(FUZZ_WRAPPED_$(1))) \
	    $$(filter %.o %.a,$$(filter-out $(WOLFSSL_DIR)/%,$$^)) $(call libraries,$(call fuzz_needs,$(2)))
endef
comma := ,
$(foreach target,$(FUZZERS),$(eval $(call fuzz_rule,$(target),$(call fuzz_rooms,$(target)))))

# The fuzzers' own make: clang, sanitizers, and a wolfSSL that is built the same way. clang warns of
# more than gcc does, which has the last word.
FUZZ_SANITIZE := fuzzer-no-link,address,undefined
FUZZ_MAKE = $(MAKE) --no-print-directory CC=clang WOLFSSL_DIR=$(BUILD)/fuzz/wolfssl SANITIZE=$(FUZZ_SANITIZE) \
    EXTRA_CFLAGS="-Wno-error -Wno-format-nonliteral -Wno-string-concatenation -Wno-sign-conversion $(1)"
T ?= 60
# Keyed hashes of all octets: what they compare says nothing of the input, and takes most of the time.
ifneq ($(findstring fuzzer,$(SANITIZE)),)
$(BUILD)/src/base/hash.o: CFLAGS += -fno-sanitize=fuzzer-no-link
endif

#: make fuzz             feeds mutated input to all that reads what others send, T (60) seconds for each target;
#:                       JOBS=N at a time, from SEED=N on
#: make fuzz-TARGET      the same for one target (tests/fuzz/targets)
#: make fuzz-replay      each target's corpus once, and nothing else
#: make fuzz-coverage    how much of what it aims at each target's corpus reaches
.PHONY: fuzz fuzz-replay fuzz-coverage fuzzers $(FUZZERS:%=fuzz-%)
fuzzers: $(FUZZERS:%=$(BUILD)/tests/fuzz/fuzz_%)
fuzz fuzz-replay:
	+@$(call FUZZ_MAKE) BUILD=$(BUILD)/fuzz fuzzers
	@BUILD=$(BUILD)/fuzz scripts/fuzz $(if $(filter fuzz,$@),$(T),replay) $(FUZZERS)
$(FUZZERS:%=fuzz-%): fuzz-%:
	+@$(call FUZZ_MAKE) BUILD=$(BUILD)/fuzz $(BUILD)/fuzz/tests/fuzz/fuzz_$*
	@BUILD=$(BUILD)/fuzz scripts/fuzz $(T) $*
fuzz-coverage:
	+@$(call FUZZ_MAKE,-fprofile-instr-generate -fcoverage-mapping) BUILD=$(BUILD)/fuzz-coverage \
	    EXTRA_LDFLAGS=-fprofile-instr-generate fuzzers
	@BUILD=$(BUILD)/fuzz-coverage scripts/fuzz-coverage

# --- lint: each a line of its own, warnings are errors -------------------------------------------

HEADERS := $(wildcard src/*/*.h tests/*/*.h tests/*/*/*.h)
SOURCES := $(wildcard src/*/*.c tests/*/*.c tests/*/*/*.c)
BASH    := $(shell grep -rlE '^\#!/bin/bash|shellcheck shell=bash' scripts tests .ci 2>/dev/null)
MANUALS := $(wildcard src/*/*.[1-8] conf/*.[1-8])

LINTS := lint-format lint-tidy lint-cppcheck lint-shell lint-includes lint-cleanup lint-manuals

#: make lint             formatting, static analysis, shell scripts, rooms, manual pages, by Debian 12's tools
.PHONY: lint $(LINTS)
lint:
	+@$(MAKE) --no-print-directory --keep-going --output-sync=target -j2 $(LINTS)

lint-format: | $(SETUP)
	@echo "clang-format: is the layout as .clang-format says?"
	@clang-format --dry-run -Werror $(SOURCES) $(HEADERS)

# One stamp a file: only what changed is analysed again.
TIDY := $(SOURCES:%.c=$(BUILD)/lint/%.tidy)
lint-tidy: $(TIDY)
	@echo "clang-tidy: has found nothing in $(words $(TIDY)) files"
$(BUILD)/lint/%.tidy: %.c .clang-tidy tests/.clang-tidy tests/fuzz/.clang-tidy $(HEADERS) | $(SETUP) $(WOLFSSL_READY)
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- -std=gnu17 $(CPPFLAGS) -Itests $(WOLFSSL_CPPFLAGS) $(P11_KIT_CPPFLAGS) 2>$@.errors || { cat $@.errors; exit 1; }
	@touch $@

# memleak: it does not know the cleanup attribute; the leak sanitizer finds what leaks.
lint-cppcheck: | $(SETUP)
	@echo "cppcheck: anything undefined, wasteful or unportable?"
	@mkdir -p $(BUILD)/lint/cppcheck
	@cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr --suppress=memleak \
	    --std=c11 -D_GNU_SOURCE -Isrc -Itests -j2 --cppcheck-build-dir=$(BUILD)/lint/cppcheck $(SOURCES)

lint-shell: | $(SETUP)
	@echo "shellcheck: $(words $(BASH)) scripts"
	@shellcheck -x -S warning $(BASH)

lint-includes:
	@echo "check-includes: does an arrow between rooms run upward, or a circle of files?"
	@scripts/check-includes

# Before the type, the attribute would belong to each variable of the declaration; after a name, to that one alone.
CLEANED := (AUTO_[A-Z]+|CLEANUP\([a-z0-9_]+\))
lint-cleanup:
	@echo "grep: does each cleanup attribute follow its variable's name, and has that a declaration of its own?"
	@! grep -nE '^\s*$(CLEANED) +[a-z]|$(CLEANED),|$(CLEANED) = [^({]*,|, \*?[a-z0-9_]+ $(CLEANED)' $(SOURCES) $(HEADERS)

lint-manuals: | $(SETUP)
	@echo "mandoc: $(notdir $(MANUALS))"
	@mandoc -Tlint -Wwarning $(MANUALS)

#: make format           lays all C out as .clang-format says
.PHONY: format
format: | $(SETUP)
	clang-format -i $(SOURCES) $(HEADERS)

# --- installing ----------------------------------------------------------------------------------

# Folders under prefix; systemd looks for the last under /usr/local and /usr.
libdir  ?= lib
unitdir ?= lib/systemd/system

# The daemon looks for its policy there whatever the prefix.
POLICY := /etc/e2ekeyd/policy.json
UNITS  := $(wildcard systemd/*.service systemd/*.socket)

# Configurations to start from; docs/deployment.md says which.
EXAMPLES := $(sort $(wildcard conf/examples/*/*))

# mode:file:folder under prefix
INSTALLED := 755:$(BUILD)/e2ekeyd:sbin 755:$(BUILD)/e2ekeyctl:bin \
    $(patsubst %,644:%:$(libdir),$(LIBE2EKEY)) 644:src/client/e2ekey.h:include \
    $(foreach file,conf/policy.json docs/deployment.md,644:$(file):share/doc/e2ekeyd) 644:conf/policy.schema.json:share/e2ekeyd \
    $(foreach file,$(EXAMPLES),644:$(file):share/doc/e2ekeyd/$(patsubst conf/%/,%,$(dir $(file)))) \
    $(foreach page,$(MANUALS),644:$(page):share/man/man$(subst .,,$(suffix $(page)))) \
    $(UNITS:%=644:%:$(unitdir)) 644:systemd/e2ekeyd.catalog:lib/systemd/catalog \
    $(foreach kind,sysusers.d tmpfiles.d,644:systemd/$(kind)/e2ekeyd.conf:lib/$(kind))

# Where systemd runs, and not into a package: each command is shown.
on_this_system = @[[ -n "$(DESTDIR)" || ! -d /run/systemd/system ]] || ( set -ex; $(1) )

#: make install          programs, library, manual pages, units: below DESTDIR and prefix (/usr/local);
#:                       a policy that admits nobody, if there is none; without DESTDIR, groups and folders
#: make uninstall        stops the service and removes all but the configuration
.PHONY: install uninstall
install: all
	@for each in $(INSTALLED); do IFS=: read -r mode file folder <<<"$$each"; \
	    install -D -m "$$mode" "$$file" "$(DESTDIR)$(prefix)/$$folder/$${file##*/}" || exit 1; done
	@sed -i 's|/usr/sbin/|$(prefix)/sbin/|' "$(DESTDIR)$(prefix)/$(unitdir)/e2ekeyd.service"
	@ln -sf libe2ekey.so.0 "$(DESTDIR)$(prefix)/$(libdir)/libe2ekey.so"
	@install -d "$(DESTDIR)$(prefix)/$(libdir)/pkgconfig"
	@sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' -e 's|@version@|$(VERSION)|' \
	    src/client/libe2ekey.pc.in >"$(DESTDIR)$(prefix)/$(libdir)/pkgconfig/libe2ekey.pc"
	@[[ -e "$(DESTDIR)$(POLICY)" ]] || install -D -m 644 conf/policy.deny-all.json "$(DESTDIR)$(POLICY)"
	$(call on_this_system,systemd-sysusers e2ekeyd.conf; systemd-tmpfiles --create e2ekeyd.conf; \
	    ldconfig; journalctl --update-catalog; systemctl daemon-reload)
uninstall:
	-$(call on_this_system,systemctl disable --now $(notdir $(UNITS)))
	@for each in $(INSTALLED); do IFS=: read -r mode file folder <<<"$$each"; \
	    rm -f "$(DESTDIR)$(prefix)/$$folder/$${file##*/}"; done
	@rm -f "$(DESTDIR)$(prefix)/$(libdir)"/{libe2ekey.so,pkgconfig/libe2ekey.pc}
	@rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(prefix)"/share/doc/e2ekeyd/examples/{*,} \
	    "$(DESTDIR)$(prefix)"/share/{doc/,}e2ekeyd 2>/dev/null || true
	$(call on_this_system,ldconfig; journalctl --update-catalog; systemctl daemon-reload; rm -rf /run/e2ekeyd)

#: make deb              Debian packages, into build/deb: e2ekeyd, libe2ekey0, libe2ekey-dev
.PHONY: deb
deb: all
	@scripts/build-deb build/deb $(VERSION)

# --- the rest ------------------------------------------------------------------------------------

#: make clean            removes what was built, but for wolfSSL
.PHONY: clean
clean:
	rm -rf $(filter-out $(WOLFSSL_DIR),$(wildcard $(BUILD)/*))

#: make help             this list
.PHONY: help
help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))
