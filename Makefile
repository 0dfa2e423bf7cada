# sockways: socket servers, many ways.  `make help` lists what can be made.
#
# A new service is a file server/service/NAME.c, its name in SERVICES, and man/NAMEd.8; one that
# takes several files is a folder server/service/NAME.
# A new model is a file server/model/NAME.c and its name in MODELS.
# A new client is a folder client/NAME with main() in main.c, its name in CLIENTS, and man/NAME.1.
# Its program is linked from this folder, client/lib (what two or more clients share) and
# common. loadgen and versus are also linked with client/load, the engine of the load; timeline
# with client/trace, which reads and draws the traces of servers.
# A new fuzz target is tests/fuzz/NAME.c, some inputs in tests/fuzz/corpus/NAME, its name in
# FUZZ, and in FUZZ_NAME the sources that it is linked with.

SERVICES = echo discard chargen daytime greet reply http chat file
MODELS   = iterative fork prefork thread pool select poll epoll uring inetd
CLIENTS  = chat dial hostinfo loadgen portscan sockcheck timeline versus xfer
FUZZ     = http_request file_command json_read
FUZZ_http_request = server/service/http/request.c tests/fixture/http_stream.c
FUZZ_file_command = server/service/file/command.c server/service/file/name.c common/name.c \
                    common/words.c common/text.c common/failure.c common/checksum.c \
                    common/checksum_fold.c
FUZZ_json_read = common/json_read.c common/json.c common/text.c common/failure.c
VERSION  = 0.1

# What one may set: make CC=clang, CC=musl-gcc, STATIC=1, SAN=address,undefined, SAN=thread,
# WERROR=1, CFLAGS=…; BUILD and BIN move what is made, so that variants can stand side by side.
# FUZZ_SECONDS=… is for each fuzz target.
# PORTABLE=1 uses no extension of Linux, as on another system.
CFLAGS   = -O2 -g
SYSTEM  := $(shell uname -s)
BUILD    = build
BIN      = bin
PREFIX   = /usr/local
BINDIR   = $(PREFIX)/bin
MANDIR   = $(PREFIX)/share/man
DOCDIR   = $(PREFIX)/share/doc/sockways
BASHDIR  = $(PREFIX)/share/bash-completion/completions
ZSHDIR   = $(PREFIX)/share/zsh/site-functions
STATIC   =
SAN      =
WERROR   =
PORTABLE =
FUZZ_SECONDS = 60

ifeq ($(origin CC),default)
CC := $(if $(shell command -v cc),cc,gcc)
endif

# ---- flags -------------------------------------------------------------------------------

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
           -Wmissing-prototypes -Wvla $(if $(WERROR),-Werror)
WARNINGS += -Wno-enum-float-conversion # of newer clang: enumerators are our integer constants
WARNINGS += $(if $(findstring musl,$(CC)),-Wno-sign-conversion) # in its FD_SET macro
# On Linux the headers declare what POSIX.1-2008 has, and a file asks for more by a macro
# (feature_test_macros(7)). Elsewhere the macros differ, so the headers declare all that there is:
# macOS, FreeBSD and OpenBSD otherwise hide MSG_DONTWAIT, SOCK_CLOEXEC and CMSG_SPACE.
SHOWN    = $(if $(filter Linux,$(SYSTEM)),-D_POSIX_C_SOURCE=200809L,\
           -D_DARWIN_C_SOURCE -D__BSD_VISIBLE=1 -D_BSD_SOURCE)
VISIBLE  = $(if $(PORTABLE),-U__linux__ -include tests/portable/posix.h,$(SHOWN))
$(BUILD)/tests/%: VISIBLE = $(SHOWN) # the tests themselves
DEFINES  = $(VISIBLE) -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
           -DSOCKWAYS_VERSION='"$(VERSION)"' \
           -DSOCKWAYS_SERVICES='"$(SERVICES)"' -DSOCKWAYS_MODELS='"$(MODELS)"' \
           -DSOCKWAYS_LISTENING_MODELS='"$(filter-out inetd,$(MODELS))"' # with a listener
# inject/driver.c starts the servers itself: those of inetd need a super-server.
INJECTED_MODELS = $(filter-out inetd,$(MODELS))
ifeq ($(SAN),)
HARDEN_C = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
else
HARDEN_C = -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
# Full RELRO binds every symbol at the start: a forked child then never writes to the tables
# of the dynamic linker, and so never copies their pages.
HARDEN_C += $(if $(STATIC),-fno-pie,-fPIE)
# The linker of macOS knows none of these options: what it makes is so without them.
ifeq ($(SYSTEM),Darwin)
HARDEN_L  = $(if $(STATIC),$(error STATIC=1: macOS has no static libc))
else
HARDEN_L  = $(if $(STATIC),-static -no-pie,-pie) -Wl,-z,relro,-z,now
endif
HARDEN_L += $(if $(SAN),-fsanitize=$(SAN))

# versus says how it was built.
$(BUILD)/client/versus/machine.o: DEFINES += -DSOCKWAYS_FLAGS='"$(strip $(CFLAGS))"'

COMPILE = $(CC) -std=c11 -I. $(DEFINES) $(WARNINGS) $(HARDEN_C) -pthread $(CPPFLAGS) $(CFLAGS)
LINK    = $(CC) $(HARDEN_L) -pthread $(CFLAGS) $(LDFLAGS)

# ---- what there is -----------------------------------------------------------------------

SERVERS   := $(foreach s,$(SERVICES),$(foreach m,$(MODELS),$(s)d-$(m)))
PROGRAMS  := $(addprefix $(BIN)/,$(SERVERS) $(CLIENTS))
OBJECTS    = $(patsubst %.c,$(BUILD)/%.o,$(1))
COMMON    := $(BUILD)/common.a
ENGINE    := $(BUILD)/server.a
ENGINE_DIRS = core udp hub
CLIENT_LIB := $(BUILD)/client/lib.a
LOAD      := $(BUILD)/client/load.a
TRACE     := $(BUILD)/client/trace.a
CLIENT_O  := $(call OBJECTS,$(filter-out %/main.c,$(wildcard $(CLIENTS:%=client/%/*.c))))
SERVICE_O  = $(call OBJECTS,$(wildcard server/service/$(1).c server/service/$(1)/*.c))
TESTER    := $(BUILD)/tests/check
TESTS     := $(wildcard tests/*.c tests/fixture/*.c $(foreach d,* */* */*/*,tests/$(d)/test_*.c))
SOURCES   := $(wildcard common/*.[ch] server/*.[ch] server/*/*.[ch] server/service/*/*.[ch] client/*/*.[ch] $(foreach d,* */* */*/* */*/*/*,tests/$(d).[ch]))
INJECTOR  := $(BUILD)/tests/inject/driver
PLAIN     := $(BUILD)/tests/plain
PRELOAD   := $(BUILD)/tests/inject/preload.so
OWN       := $(BUILD)/tests/own_server
ZOO       := $(patsubst tests/zoo/%.c,$(BIN)/zoo/%,$(filter-out %/test_zoo.c,$(wildcard tests/zoo/*.c)))
RELAYS    := $(foreach s,relay intruder,$(foreach m,$(MODELS),$(BUILD)/tests/$(s)d-$(m)))
PAGES     := $(wildcard man/*.[1-8])
AGAINST_SAN := $(if $(findstring thread,$(SAN)),$(BUILD)/tests/sanitizer/signals.o)
FUZZERS   := $(addprefix $(BUILD)/fuzz/,$(FUZZ))

.PHONY: all zoo compare report example-report check check-models check-lab check-all can-check check-faults facts fuzz deps deps-docs completion dist deb install install-examples uninstall format lint clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS)

# Objects made with other flags are not ours: this file changes when the flags do. Targets that
# compile nothing leave it alone, so that `sudo make deps` makes no folder that belongs to root.
FLAGS := $(BUILD)/flags
ifneq ($(filter-out deps deps-docs help clean uninstall,$(or $(MAKECMDGOALS),all)),)
$(shell mkdir -p $(BUILD) && printf '%s\n' '$(subst ','\'',$(COMPILE) $(LINK))' | \
	cmp -s - $(FLAGS) || printf '%s\n' '$(subst ','\'',$(COMPILE) $(LINK))' > $(FLAGS))
endif

# `make deps all` first installs, then builds, also under -j.
DEPS_FIRST := $(filter deps,$(MAKECMDGOALS))

# One short line for each step; V=1 shows the commands.
Q = $(if $(V),,@)
say = @$(if $(V),:,printf '  %-5s %s\n' $(1) $(2))

$(BUILD)/%.o: %.c $(FLAGS) | $(DEPS_FIRST)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

$(COMMON): $(call OBJECTS,$(wildcard common/*.c))
$(ENGINE): $(call OBJECTS,server/main.c $(wildcard $(ENGINE_DIRS:%=server/%/*.c)))
$(CLIENT_LIB): $(call OBJECTS,$(wildcard client/lib/*.c))
$(LOAD): $(call OBJECTS,$(wildcard client/load/*.c))
$(TRACE): $(call OBJECTS,$(wildcard client/trace/*.c))
$(COMMON) $(ENGINE) $(CLIENT_LIB) $(LOAD) $(TRACE):
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) qc $@ $^

# The object that names the service and the model of a program.
define selected_rule
$(BUILD)/server/selected/$(1)d-$(2).o: server/selected.c $(FLAGS) | $(DEPS_FIRST)
	@mkdir -p $$(@D)
	$(Q)$(COMPILE) -DSERVICE=$(1)_service -DMODEL=$(2)_model -MMD -MP -c -o $$@ $$<
endef
$(foreach s,$(SERVICES) relay intruder TEMPLATE,$(foreach m,$(MODELS) TEMPLATE forgetful,$(eval $(call selected_rule,$(s),$(m)))))

# SERVICEd-MODEL: one service, one model, and the engine that is the same for all.
define server_rule
$(BIN)/$(1)d-$(2): $(call SERVICE_O,$(1)) $(BUILD)/server/selected/$(1)d-$(2).o $(BUILD)/server/model/$(2).o $(ENGINE) $(COMMON)
endef
$(foreach s,$(SERVICES),$(foreach m,$(MODELS),$(eval $(call server_rule,$(s),$(m)))))

define client_rule
$(BIN)/$(1): $(call OBJECTS,$(wildcard client/$(1)/*.c)) $(if $(filter loadgen versus,$(1)),$(LOAD)) $(if $(filter timeline versus,$(1)),$(TRACE)) $(CLIENT_LIB) $(COMMON)
endef
$(foreach c,$(CLIENTS),$(eval $(call client_rule,$(c))))
$(PROGRAMS): $(AGAINST_SAN)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)

# ---- the two commands of the README ------------------------------------------------------

report: all
	$(BIN)/versus --report report.html echo

# The report that is installed as an example. It is committed, so that `make install-examples` needs
# no measurement: make it on a quiet machine, in about two minutes.
REPORT = man/examples/report.html
REPORT_KIB = 300

example-report: all
	$(BIN)/versus --quick --report $(REPORT) echo fork pool select epoll
	@[ $$(wc -c < $(REPORT)) -le $$(($(REPORT_KIB) * 1024)) ] || { \
		echo "$(REPORT): has more than $(REPORT_KIB) KiB" >&2; exit 1; }

compare: all
	$(BIN)/versus echo

CHECK_FLAGS = $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LIBS  = $(shell pkg-config --libs check 2>/dev/null || echo -lcheck $(if $(filter Linux,$(SYSTEM)),-lsubunit -lm -lrt,-lm))

# Faults are injected by an object that a server preloads, so it must be linked dynamically,
# with glibc, and without a sanitizer, which wants to come first itself. Each program (a service
# in a model, on TCP or UDP) has so many runs; `make check` has fewer.
FAULTS        = 60
FAULTS_SAMPLE = 3
CAN_INJECT   := $(if $(STATIC)$(SAN)$(PORTABLE)$(findstring musl,$(CC))$(findstring -m32,$(CC)),,$(shell \
	printf '\043include <features.h>\n\043ifndef __GLIBC__\n\043error\n\043endif\n' | \
	$(CC) -E - >/dev/null 2>&1 && echo yes))
INJECTED      = $(if $(CAN_INJECT),$(INJECTOR) $(PRELOAD))
inject        = $(if $(CAN_INJECT),$(INJECTOR) $(abspath $(BIN)) $(abspath $(PRELOAD)) $(1),\
	echo "skipped: needs glibc on 64 bits, and a build without STATIC, SAN and PORTABLE")

# The sample is a make of its own: on a fresh machine the compiler, which CAN_INJECT asks, is
# there only after deps.
check: all $(TESTER) $(RELAYS) $(TEMPLATES) $(PLAIN)
	@tests/calls.sh $(BUILD) server client
	@$(if $(CK_RUN_SUITE),,$(MAKE) --no-print-directory check-faults FAULTS=$(FAULTS_SAMPLE))
	SOCKWAYS_BIN=$(abspath $(BIN)) SOCKWAYS_SOURCE=$(CURDIR) $(TESTER)

# libFuzzer wants the same name of every target; the tests are linked with all of them.
SYMBOLS     = '-DMODEL_SYMBOLS=$(patsubst %,MODEL(%),$(MODELS))' '-DSERVICE_SYMBOLS=$(patsubst %,SERVICE(%),$(SERVICES))'
FUZZ_NAMES  = $(SYMBOLS) '-DFUZZ_TARGETS=$(patsubst %,TARGET(%),$(FUZZ))' -DLLVMFuzzerTestOneInput=fuzz_$(*F)
$(BUILD)/tests/test_fuzz.o: Makefile

HAVE_CHECK = printf '\043include <check.h>\n' | $(CC) $(CHECK_FLAGS) -E - >/dev/null 2>&1
$(BUILD)/tests/%.o: tests/%.c $(FLAGS) | $(DEPS_FIRST)
	@$(HAVE_CHECK) || { echo "make check needs Check (libcheck): 'make deps' installs it" >&2; exit 1; }
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) $(CHECK_FLAGS) $(FUZZ_NAMES) $(if $(PORTABLE),-DTESTS_PORTABLE) -DTESTS_BUILD='"$(abspath $(BUILD))/tests"' -Wno-gnu-zero-variadic-macro-arguments -MMD -MP -c -o $@ $<
$(TESTER): $(call OBJECTS,$(TESTS) $(FUZZ:%=tests/fuzz/%.c)) $(foreach s,$(SERVICES),$(call SERVICE_O,$(s))) $(MODELS:%=$(BUILD)/server/model/%.o) $(CLIENT_O) $(ENGINE) $(LOAD) $(TRACE) $(CLIENT_LIB) $(COMMON)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(CHECK_LIBS) $(LDLIBS)

# Before a release: the tests of the services, too, in every model (tests/fixture/models.h).
check-models:
	@TEST_MODELS=all $(MAKE) --no-print-directory check

# The lab: sockcheck with all its checks on all servers, on the zoo and on the mended zoo; and the
# commands of the labs and of sockways-surprises(7) that take long. One suite at a time: each loads
# the machine by itself, and a check of sockcheck has a limit of time.
check-lab: all zoo $(TESTER)
	SOCKWAYS_BIN=$(abspath $(BIN)) SOCKWAYS_SOURCE=$(CURDIR) TEST_LAB=all TEST_JOBS=1 \
		TEST_ONLY='sockcheck sockcheck_servers zoo labs surprises' $(TESTER)

# Before a release: all of this, then the tests on other machines, and a day in the life of servers
# behind a proxy. A machine is a C library or a processor: a compiler for it, Check for it, and for
# a foreign processor an emulator that the kernel starts by itself (qemu-user-static and its
# binfmt). On Debian, for one of them: dpkg --add-architecture s390x, then apt-get install
# gcc-s390x-linux-gnu check:s390x qemu-user-static. Check for musl must be compiled first:
# MUSL_CHECK is the folder where it is installed. Its include/ has links to the kernel's headers,
# too (linux, asm, asm-generic): without them there is neither a sandbox nor io_uring.
MACHINES      = portable musl i386 aarch64 s390x
MUSL_CHECK    =
MUSL_HEADERS  = "-isystem $(MUSL_CHECK)/include"
FOR_musl      = CC=musl-gcc STATIC=1 $(if $(MUSL_CHECK),CPPFLAGS=$(MUSL_HEADERS) \
	CHECK_FLAGS=$(MUSL_HEADERS) CHECK_LIBS='-L$(MUSL_CHECK)/lib -lcheck')
FOR_portable  = PORTABLE=1
FOR_i386      = CC='gcc -m32 -Wno-psabi$(if $(wildcard /usr/include/x86_64-linux-gnu), -isystem /usr/include/x86_64-linux-gnu)'
FOR_aarch64   = CC=aarch64-linux-gnu-gcc $(call emulated,aarch64)
FOR_s390x     = CC=s390x-linux-gnu-gcc $(call emulated,s390x)
# Tests of what qemu-user does not have are skipped (EMULATED in tests/fixture/waiting.h). It takes much
# of the processor: two suites at a time are enough.
emulated      = $(if $(filter $(1),$(shell uname -m)),,CHECK_FLAGS=-DTESTS_EMULATED TEST_JOBS=2)
check-all: check-models check-lab check-faults $(MACHINES:%=check-on-%)
	tests/day.sh 60 $(BIN)
check-on-%: | check-models
	@$(MAKE) -s BUILD=$(BUILD)/on-$* BIN=$(BUILD)/on-$*/bin $(FOR_$*) can-check >/dev/null 2>&1 || \
		{ echo "skipped: needs a compiler for $*, Check for it, and a way to run both"; exit 0; }; \
	$(MAKE) BUILD=$(BUILD)/on-$* BIN=$(BUILD)/on-$*/bin $(FOR_$*) check
# Whether a program of this compiler, linked with Check, can be run.
can-check:
	@printf '\043include <check.h>\nint main(void) { return suite_create("") == 0; }\n' | \
		$(LINK) -x c $(CHECK_FLAGS) -o $(BUILD)/can-check - -x none $(CHECK_LIBS)
	@$(BUILD)/can-check

check-faults: all $(INJECTED)
	@$(call inject,$(FAULTS))

$(INJECTOR): $(BUILD)/tests/inject/driver.o $(COMMON)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)
$(BUILD)/tests/inject/driver.o: tests/inject/driver.c $(FLAGS) | $(DEPS_FIRST)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -DSOCKWAYS_INJECTED_MODELS='"$(INJECTED_MODELS)"' -MMD -MP -c -o $@ $<
# Not pedantic: some of libc's functions take a union where POSIX has a pointer.
$(PRELOAD): tests/inject/preload.c tests/inject/inject.h $(FLAGS) | $(DEPS_FIRST)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=c11 -I. $(filter-out -Wpedantic,$(WARNINGS)) -fPIC -shared -pthread $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -ldl

# Services for the tests alone: one where clients meet, and one that does what an intruder would.
define relay_rule
$(BUILD)/tests/$(1)d-$(2): $(BUILD)/tests/server/service/$(1).o $(BUILD)/server/selected/$(1)d-$(2).o $(BUILD)/server/model/$(2).o $(ENGINE) $(COMMON) $(AGAINST_SAN)
endef
$(foreach s,relay intruder,$(foreach m,$(MODELS),$(eval $(call relay_rule,$(s),$(m)))))
$(RELAYS):
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)
$(TESTER): | $(RELAYS)

# A server that is none of the suite's, which versus compares with them.
$(OWN): tests/client/versus/own_server.c $(FLAGS) | $(DEPS_FIRST)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(COMPILE) $(HARDEN_L) $(LDFLAGS) -o $@ $<
$(TESTER): | $(OWN)

# Broken servers: each has one bug. They are built as those who get one of them build it, without
# the headers and settings of the suite; for one bug the check of _FORTIFY_SOURCE is part of what
# is seen, and it needs -O2.
zoo: $(ZOO)

$(ZOO): $(BIN)/zoo/%: tests/zoo/%.c $(FLAGS) | $(DEPS_FIRST)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=c11 $(WARNINGS) -pthread $(CPPFLAGS) $(CFLAGS) -O2 -U_FORTIFY_SOURCE \
		-D_FORTIFY_SOURCE=2 $(if $(STATIC),-static) $(LDFLAGS) -o $@ $<
$(TESTER): | $(ZOO)

# The templates of a service and a model, and a model that lacks what the others have.
TEMPLATES := $(addprefix $(BUILD)/tests/,TEMPLATEd-TEMPLATE echod-TEMPLATE echod-forgetful chatd-forgetful)
define template_rule
$(BUILD)/tests/$(1)d-$(2): $(call SERVICE_O,$(1)) $(BUILD)/server/selected/$(1)d-$(2).o $(3) $(ENGINE) $(COMMON) $(AGAINST_SAN)
	$$(call say,LINK,$$@)
	$(Q)$(LINK) -o $$@ $$^ $(LDLIBS)
endef
$(eval $(call template_rule,TEMPLATE,TEMPLATE,$(BUILD)/server/model/TEMPLATE.o))
$(eval $(call template_rule,echo,TEMPLATE,$(BUILD)/server/model/TEMPLATE.o))
$(eval $(call template_rule,echo,forgetful,$(BUILD)/tests/server/model/forgetful.o))
$(eval $(call template_rule,chat,forgetful,$(BUILD)/tests/server/model/forgetful.o))
$(TESTER): | $(TEMPLATES)

# Programs as they are on a system that lacks epoll(7) or ppoll(2).
LACKING := $(BUILD)/tests/echod-epoll-lacking $(BUILD)/tests/echod-poll-lacking
$(BUILD)/tests/lacking/%.o: %.c $(FLAGS) | $(DEPS_FIRST)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -DWITHOUT_EPOLL -DPOLL_WITHOUT_PPOLL -MMD -MP -c -o $@ $<
$(LACKING): $(BUILD)/tests/echod-%-lacking: $(call SERVICE_O,echo) $(BUILD)/server/selected/echod-%.o $(BUILD)/tests/lacking/server/model/%.o $(BUILD)/tests/lacking/common/poll_with_mask.o $(ENGINE) $(COMMON) $(AGAINST_SAN)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LDLIBS)
$(TESTER): | $(LACKING)

# Servers without optimization, whose functions gdb can count: tests/server/model/test_frames.c.
.PHONY: $(PLAIN)
$(PLAIN): | $(DEPS_FIRST)
	@$(if $(SAN),,$(MAKE) --no-print-directory BUILD=$(PLAIN) BIN=$(PLAIN)/bin \
		CFLAGS='-O0 -g -U_FORTIFY_SOURCE' $(foreach m,fork thread select poll epoll,$(PLAIN)/bin/echod-$(m)) >/dev/null)

# ---- fuzzing -----------------------------------------------------------------------------

# With clang's libFuzzer, each target FUZZ_SECONDS long, from a copy of its corpus. What it
# finds is left in $(BUILD)/fuzz; `$(BUILD)/fuzz/NAME FILE` tries it again.
FUZZ_CC   = clang
FUZZ_SAN  = fuzzer,address,undefined
HAVE_FUZZ = printf 'int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return !b || n > 9; }' | \
	$(FUZZ_CC) -x c -fsanitize=$(FUZZ_SAN) -o /dev/null - >/dev/null 2>&1

fuzz:
	@if $(HAVE_FUZZ); then $(MAKE) $(FUZZ:%=fuzz-%); else \
		echo "skipped: needs clang with libFuzzer and the sanitizers"; fi

.PHONY: $(FUZZ:%=fuzz-%)
$(FUZZ:%=fuzz-%): fuzz-%: $(BUILD)/fuzz/%
	@set -e; corpus=$$(mktemp -d); trap 'rm -rf "$$corpus"' EXIT; \
	cp tests/fuzz/corpus/$*/* "$$corpus"; \
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/fuzz/ \
		$(addprefix -dict=,$(wildcard tests/fuzz/$*.dict)) "$$corpus"

define fuzz_rule
$(BUILD)/fuzz/$(1): tests/fuzz/$(1).c $(FUZZ_$(1))
endef
$(foreach f,$(FUZZ),$(eval $(call fuzz_rule,$(f))))
$(FUZZERS): $(filter %.h,$(SOURCES)) $(FLAGS)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)$(FUZZ_CC) -std=c11 -I. $(DEFINES) $(WARNINGS) -O1 -g -fsanitize=$(FUZZ_SAN) \
		-fno-sanitize-recover=all -o $@ $(filter %.c,$^)

# A C compiler, make and Check, by the package manager that is there; netbase is Debian's list
# of services (/etc/services), which a container may lack. Nothing that is only recommended.
deps:
	@set -e; \
	as_root=; \
	if [ "$$(id -u)" != 0 ]; then \
		if $(HAVE_CHECK); then echo "deps: a compiler and Check are installed"; exit 0; fi; \
		if command -v sudo >/dev/null; then as_root=sudo; \
		elif ! command -v brew >/dev/null; then \
			echo "deps: only root can install packages, and sudo is not installed: run 'make deps' as root" >&2; \
			exit 1; \
		fi; \
	fi; \
	run() { echo "deps: $$*"; "$$@"; }; \
	if   command -v apt-get >/dev/null; then \
		run $$as_root apt-get update -q; \
		run $$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -q --no-install-recommends \
			gcc libc6-dev make pkg-config check netbase; \
	elif command -v dnf    >/dev/null; then \
		run $$as_root dnf install -y --setopt=install_weak_deps=False gcc make pkgconf-pkg-config check-devel; \
	elif command -v apk    >/dev/null; then \
		run $$as_root apk add build-base linux-headers pkgconf check-dev; \
	elif command -v pacman >/dev/null; then \
		run $$as_root pacman -S --needed --noconfirm gcc make pkgconf check; \
	elif command -v brew   >/dev/null; then \
		run brew install pkg-config check; \
	else \
		echo "deps: no apt-get, dnf, apk, pacman or brew here: install a C compiler, make and Check (libcheck) by hand" >&2; \
		exit 1; \
	fi

# What the manual pages use: man itself, and the tools of their examples.
deps-docs:
	@set -e; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	run() { echo "deps-docs: $$*"; "$$@"; }; \
	if   command -v apt-get >/dev/null; then \
		run $$as_root apt-get update -q; \
		run $$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -q --no-install-recommends \
			man-db manpages manpages-dev curl socat strace gdb; \
	elif command -v dnf    >/dev/null; then \
		run $$as_root dnf install -y man-db man-pages curl socat strace gdb; \
	elif command -v apk    >/dev/null; then \
		run $$as_root apk add mandoc man-pages curl socat strace gdb; \
	elif command -v pacman >/dev/null; then \
		run $$as_root pacman -S --needed --noconfirm man-db man-pages curl socat strace gdb; \
	elif command -v brew   >/dev/null; then \
		run brew install curl socat; \
	else \
		echo "deps-docs: no apt-get, dnf, apk, pacman or brew here: install man, curl, socat and strace by hand" >&2; \
		exit 1; \
	fi

# ---- installing --------------------------------------------------------------------------

MAN1 := $(notdir $(filter %.1,$(PAGES)))
MAN5 := $(notdir $(filter %.5,$(PAGES)))
MAN7 := $(notdir $(filter %.7,$(PAGES)))
MAN8 := $(notdir $(filter %.8,$(PAGES)))

# The servers are beside the clients, because ordinary users start them, and sbin is not in their
# PATH.
COMPLETION := $(addprefix $(BUILD)/completion/,sockways.bash _sockways)
MAKE_COMPLETION = sh man/completion/generate.sh $(1) $(BIN) "$(SERVICES)" "$(MODELS)" \
	$(SERVERS) $(CLIENTS)

completion: $(COMPLETION)

$(BUILD)/completion/sockways.bash $(BUILD)/completion/_sockways: man/completion/generate.sh $(PROGRAMS)
	@mkdir -p $(@D)
	$(call say,MAKE,$@)
	$(Q)$(call MAKE_COMPLETION,$(if $(filter %.bash,$@),bash,zsh)) > $@

# To the commands below a name with a blank would be two names.
whole_names = $(foreach folder,DESTDIR BINDIR MANDIR DOCDIR BASHDIR ZSHDIR,$(if \
	$(word 2,$($(folder))),$(error $(folder) is '$($(folder))': a blank is not possible here)))

# bash looks for a file with the name of the command, zsh reads the first line of the file.
install: all $(COMPLETION)
	@$(whole_names)
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(BASHDIR) $(ZSHDIR) $(addprefix $(MANDIR)/man,1 5 7 8))
	install -m 755 $(PROGRAMS) $(DESTDIR)$(BINDIR)
	set -e; for page in $(PAGES); do \
		to=$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}.gz; \
		gzip -9nc $$page > $$to; chmod 644 $$to; \
	done
	set -e; for s in $(SERVICES); do for m in $(MODELS); do \
		ln -sf $${s}d.8.gz $(DESTDIR)$(MANDIR)/man8/$${s}d-$$m.8.gz; \
	done; done
	install -m 644 $(BUILD)/completion/sockways.bash $(DESTDIR)$(BASHDIR)/sockways
	install -m 644 $(BUILD)/completion/_sockways $(DESTDIR)$(ZSHDIR)
	set -e; for p in $(SERVERS) $(CLIENTS); do ln -sf sockways $(DESTDIR)$(BASHDIR)/$$p; done

# The examples name the programs where they are installed, without DESTDIR.
EXAMPLES := $(patsubst man/examples/%,%,$(filter-out $(REPORT),$(shell find man/examples -type f | sort)))
EXAMPLE_REPORTS := $(wildcard man/timeline-*.svg $(REPORT))

install-examples:
	@$(whole_names)
	set -e; for f in $(EXAMPLES); do \
		install -d $(DESTDIR)$(DOCDIR)/examples/$$(dirname $$f); \
		sed 's,/usr/local/bin,$(BINDIR),' man/examples/$$f > $(DESTDIR)$(DOCDIR)/examples/$$f; \
		if [ -x man/examples/$$f ]; then chmod 755 $(DESTDIR)$(DOCDIR)/examples/$$f; \
		else chmod 644 $(DESTDIR)$(DOCDIR)/examples/$$f; fi; \
	done
	install -d $(DESTDIR)$(DOCDIR)/examples/report
	install -m 644 $(EXAMPLE_REPORTS) $(DESTDIR)$(DOCDIR)/examples/report

# What is not ours stays, such as a run script that was added.
uninstall:
	@$(whole_names)
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(SERVERS) $(CLIENTS)) \
		$(patsubst %,$(DESTDIR)$(MANDIR)/man1/%.gz,$(MAN1)) \
		$(patsubst %,$(DESTDIR)$(MANDIR)/man5/%.gz,$(MAN5)) \
		$(patsubst %,$(DESTDIR)$(MANDIR)/man7/%.gz,$(MAN7)) \
		$(patsubst %,$(DESTDIR)$(MANDIR)/man8/%.gz,$(MAN8) $(SERVERS:=.8)) \
		$(addprefix $(DESTDIR)$(BASHDIR)/,sockways $(SERVERS) $(CLIENTS)) \
		$(DESTDIR)$(ZSHDIR)/_sockways
	rm -f $(addprefix $(DESTDIR)$(DOCDIR)/examples/,$(EXAMPLES) \
		$(addprefix report/,$(notdir $(EXAMPLE_REPORTS))))
	[ ! -d $(DESTDIR)$(DOCDIR) ] || find $(DESTDIR)$(DOCDIR) -depth -type d -empty -delete

# ---- packages ----------------------------------------------------------------------------

# What is committed. git archive gives each file the time of the commit and the owner 0, in a fixed
# order, and gzip -n adds no time: the same commit always makes the same bytes.
RELEASE = sockways-$(VERSION)
TARBALL = $(BUILD)/$(RELEASE).tar.gz

dist:
	@git rev-parse --git-dir >/dev/null 2>&1 && [ -e .git ] || { \
		echo "make dist needs a git checkout: it packs what is committed" >&2; exit 1; }
	@[ -z "$$(git status --porcelain)" ] || \
		echo "make dist: not committed, so not in the tarball: $$(git status --porcelain | head -n 1) ..." >&2
	@mkdir -p $(BUILD)
	$(Q)git -c tar.umask=0022 archive --format=tar --prefix=$(RELEASE)/ HEAD | gzip -9n > $(TARBALL)
	@echo $(TARBALL)

# A Debian package of what `make dist` packs; in a tree without git, of the tree. The folder debian/
# is made from the templates in man/debian.
DEB = $(BUILD)/deb/$(RELEASE)
# The package is made for this machine and its like, not for an upload to Debian: there is no bug to
# close, and the address of its maintainer is not one to write to.
LINTIAN_LOCAL = initial-upload-closes-no-bugs,bogus-mail-host,bogus-mail-host-in-debian-changelog
DEB_EPOCH = $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y README.md)

deb: $(if $(wildcard .git),dist)
	@lacks=; for package in dpkg-dev:dpkg-buildpackage debhelper:dh lintian:lintian fakeroot:fakeroot; do \
		command -v $${package#*:} >/dev/null || lacks="$$lacks $${package%:*}"; \
	done; \
	[ -z "$$lacks" ] || { echo "make deb needs more packages: apt-get install$$lacks" >&2; exit 1; }
	@rm -rf $(BUILD)/deb && mkdir -p $(DEB)
	$(Q)if [ -e .git ]; then tar -xzf $(TARBALL) -C $(BUILD)/deb; else \
		cp -R Makefile README.md LICENSE client common findings man server tests $(DEB); fi
	$(Q)cp -R man/debian $(DEB)/debian && rm $(DEB)/debian/README && mkdir $(DEB)/debian/source
	$(Q)echo '3.0 (quilt)' > $(DEB)/debian/source/format
	$(Q)echo README.md > $(DEB)/debian/docs
	$(Q)printf 'sockways (%s-1) unstable; urgency=medium\n\n  * Release %s.\n\n -- %s  %s\n' \
		$(VERSION) $(VERSION) "$$(sed -n 's/^Maintainer: //p' man/debian/control)" \
		"$$(date -u -R -d @$(DEB_EPOCH))" > $(DEB)/debian/changelog
	$(Q){ printf '%s\nUpstream-Name: sockways\n\nFiles: *\n%s\nLicense: ISC\n' \
		'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/' \
		"$$(sed -n 's/ (c)/:/; /^Copyright/p' LICENSE)"; \
		sed -n '/^Permission/,$$p' LICENSE | sed 's/^$$/./; s/^/ /'; } > $(DEB)/debian/copyright
	$(Q)cd $(DEB) && SOURCE_DATE_EPOCH=$(DEB_EPOCH) MAKEFLAGS= dpkg-buildpackage -b -us -uc \
		-j$$(nproc) >../build.log 2>&1 || { tail -n 30 ../build.log >&2; exit 1; }
	$(Q)lintian --fail-on error,warning --suppress-tags $(LINTIAN_LOCAL) $(if $(filter 0,$(shell id -u)),--allow-root) $(BUILD)/deb/*.changes
	@echo $(BUILD)/deb/sockways_*.deb

# ---- keeping it tidy ---------------------------------------------------------------------

format:
	clang-format -i $(SOURCES)

# What kernels and tools really do: a line for each question of sockways-surprises(7) and for each
# script of findings/, which fails where this machine differs from its head. The questions need Check.
facts:
	@differs=0; \
	if $(HAVE_CHECK); then \
		$(MAKE) --no-print-directory all $(TESTER) >/dev/null && \
		SOCKWAYS_BIN=$(abspath $(BIN)) SOCKWAYS_SOURCE=$(CURDIR) TEST_LAB=all TEST_FACTS=1 \
			TEST_ONLY=surprises $(TESTER) >$(BUILD)/facts || differs=1; \
		grep -v -e '^Running suite' -e '^all suites:' -e '^[0-9]*%: Checks' $(BUILD)/facts; \
	else echo "sockways-surprises(7): skipped: needs Check"; fi; \
	for script in findings/*.sh; do \
		if said=$$(sh $$script 2>&1); then result='as described'; \
		else result='DIFFERS'; differs=1; fi; \
		case $$said in *skipped:*) result=$${said##*skipped: }; result="skipped: $$result";; esac; \
		printf '%s: %s\n' "$$script" "$$result"; \
		[ "$$result" != DIFFERS ] || printf '%s\n' "$$said"; \
	done; exit $$differs

# Each tool where it is present; `lint` fails if one that ran found something.
lint:
	@set -e; found=; \
	if command -v mandoc >/dev/null; then found=1; \
		echo "lint: mandoc"; \
		if mandoc -T lint -W style $(PAGES) 2>/dev/null | \
			grep -v -e 'referenced manual not found' -e '^([0-9]* times)$$'; \
			then exit 1; fi; \
	else echo "lint: skipped: needs mandoc"; fi; \
	if command -v clang-format >/dev/null; then found=1; \
		echo "lint: clang-format"; clang-format --dry-run -Werror $(SOURCES); \
	else echo "lint: skipped: needs clang-format"; fi; \
	if command -v cppcheck >/dev/null; then found=1; \
		echo "lint: cppcheck"; \
		cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
			--enable=warning,performance,portability -I. \
			common server client; \
	elif command -v clang-tidy >/dev/null; then found=1; \
		echo "lint: clang-tidy"; \
		clang-tidy --quiet --warnings-as-errors='*' $(filter-out tests/%,$(filter %.c,$(SOURCES))) \
			-- -std=c11 -I. $(DEFINES); \
	else echo "lint: skipped: needs cppcheck or clang-tidy"; fi; \
	[ -n "$$found" ]

clean:
	rm -rf $(BUILD) $(BIN)

help:
	@echo 'make            build every program into $(BIN)/'
	@echo 'make zoo        build the broken servers of tests/zoo into $(BIN)/zoo/'
	@echo 'make compare    build, then compare the models side by side: $(BIN)/versus echo'
	@echo 'make report     build, then write report.html: curves of all models'
	@echo 'make example-report  the same, short, into $(REPORT)'
	@echo 'make check      build, then run the tests (needs Check)'
	@echo 'make check-models  the same with every model in every test'
	@echo 'make check-lab  sockcheck with all checks on all servers, the long labs and questions'
	@echo 'make check-all  all of these, and the tests on other machines: $(MACHINES)'
	@echo 'make check-faults  let system calls of the servers fail: FAULTS=$(FAULTS) runs of each'
	@echo 'make fuzz       fuzz: $(FUZZ), FUZZ_SECONDS=$(FUZZ_SECONDS) each (needs clang)'
	@echo 'make deps       install a compiler and Check with the package manager'
	@echo 'make deps-docs  install man, curl, socat, strace and gdb, which the manual pages use'
	@echo 'make install    programs to bin, pages to share/man, completion for bash and zsh'
	@echo '                (PREFIX, DESTDIR)'
	@echo 'make install-examples  units and run scripts for systemd, s6 and runit, to share/doc'
	@echo 'make uninstall  take them away again'
	@echo 'make dist       a tarball of what is committed: $(TARBALL)'
	@echo 'make deb        a Debian package, checked by lintian (needs debhelper)'
	@echo 'make format     apply .clang-format'
	@echo 'make facts      sockways-surprises(7) and findings/: what differs on this machine'
	@echo 'make lint       mandoc, clang-format, and cppcheck or clang-tidy, where present'
	@echo 'make clean      remove $(BUILD)/ and $(BIN)/'
	@echo 'Settings: CC=clang CC=musl-gcc STATIC=1 SAN=address,undefined SAN=thread WERROR=1'
	@echo '          PORTABLE=1 (no extension of Linux)'
	@echo 'Programs: $(SERVERS) $(CLIENTS)'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
