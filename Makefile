# Sekisho. The two commands: "make up" starts a private instance under ./run, "make check" runs
# everything that can fail. "make help" names the rest.
#
# Variants, each in a directory of its own:  make TESTING=1  make SANITIZE=1  make CC=clang

.DEFAULT_GOAL := all
MAKEFLAGS     += --no-builtin-rules
SHELL         := /bin/sh

CC     ?= cc
ifeq ($(origin CC),default)
CC     := gcc
endif
B      := build$(if $(TESTING),/testing)$(if $(SANITIZE),/sanitize)
PYTHON := /usr/bin/python3

comma := ,

# ---- flags -------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wold-style-definition \
        -Wmissing-prototypes -Wvla -Wswitch-enum -Wundef -Wcast-qual -Wformat=2 -Wwrite-strings \
        -Wpointer-arith -Wnull-dereference -Werror
HARD := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE \
        -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections
OPT  := -O2 -g

ifdef SANITIZE
HARD := -fPIE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT  := -O1 -g
endif
ifdef TESTING
DEFS := -DSEKISHO_TESTING
endif

CFLAGS_ALL  := -std=c17 -D_GNU_SOURCE -I. $(DEFS) $(OPT) $(WARN) $(HARD) -pthread $(CFLAGS)
LDFLAGS_ALL := $(if $(SANITIZE),-fsanitize=address$(comma)undefined) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections -pthread $(LDFLAGS)
PIE         := -pie

# ---- what is built -----------------------------------------------------------------------------

PROGRAMS := $(patsubst bin/%.c,%,$(wildcard bin/*.c))
LIBS     := smtp shell web front login mine view audit auth scan encrypt seal hold gate deliver remote notice policy db inspect convert extract org past rules words detect routes resolve people dsn mime text net checks queue base
lib_dir   = $(if $(filter queue,$(1)),queue,lib/$(1))
lib_src   = $(wildcard $(call lib_dir,$(1))/*.c)
ARCHIVES := $(foreach l,$(LIBS),$(B)/lib$(l).a)

# The words of people's pages, in what other languages there are.
WORDS := $(patsubst etc/web/%.po,$(B)/%.mo,$(wildcard etc/web/locale/*/LC_MESSAGES/sekisho.po))

all: $(PROGRAMS:%=$(B)/bin/%) $(WORDS)

define archive_rule
$(B)/lib$(1).a: $(patsubst %.c,$(B)/%.o,$(call lib_src,$(1)))
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call archive_rule,$(l))))

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(if $(Q),:,echo "  CC  $<") ; $(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Dependencies point one way: a program may use every library, a library those behind it.
# seki-smtpd, which a fork copies for every stranger, is linked with nothing that it does not use.
SYSTEM := -Wl,--as-needed -lssl -lcrypto -lcrypt -lpam -lunbound -lidn2 -larchive -lexpat -lgumbo \
          -lutf8proc -lmecab -lmagic -lpcre2-8 -ljansson -lfcgi -lcdb -lcsv -ldb-5.3 -lz

$(B)/bin/%: $(B)/bin/%.o $(ARCHIVES)
	@echo "  LD  $@" ; $(CC) $(PIE) $(LDFLAGS_ALL) -o $@ $^ $(SYSTEM)

$(B)/%.mo: etc/web/%.po
	@mkdir -p $(@D)
	@echo "  MO  $<" ; msgfmt --check-format --check-domain -o $@ $<

.SECONDARY:

# ---- a private instance ------------------------------------------------------------------------

# A port or route that is not given is left as it stands in RUN/etc; at first 2525, 2587, 8025 and
# maildir:outbox. So are rules; at first those of etc/presets/standard, and none with PRESET=none.
RUN             ?= run
SMTP_PORT       ?=
SUBMISSION_PORT ?=
WEB_PORT        ?=
ROUTE           ?=
PRESET          ?=

INSTANCE = RUN='$(RUN)' SMTP_PORT='$(SMTP_PORT)' SUBMISSION_PORT='$(SUBMISSION_PORT)' \
           WEB_PORT='$(WEB_PORT)' ROUTE='$(ROUTE)' PRESET='$(PRESET)' BUILD='$(B)' MAKE='$(MAKE)'

up:
	@$(INSTANCE) services/instance up

down:
	@$(INSTANCE) services/instance down

# ---- a service of the machine ------------------------------------------------------------------

# INSTALL tells what comes behind it. With DESTDIR nothing outside it is touched, and root is not
# needed.
PREFIX  ?= /usr/local
DESTDIR ?=
UNITDIR ?=

INSTALLED = PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' UNITDIR='$(UNITDIR)' BUILD='$(B)'

install: all
	@$(INSTALLED) services/install install

uninstall:
	@$(INSTALLED) services/install uninstall

# ---- dependencies ------------------------------------------------------------------------------

# Installs by name whatever of "packages" is missing; WHEN="run build" leaves the tests' out.
WHEN ?= run build test
deps:
	@services/packages install $(WHEN)

# ---- checks ------------------------------------------------------------------------------------

check:
	@tests/check

# So many seconds for each target; what is found stays below build/check/fuzz.
SECONDS ?= 600
fuzz:
	@FUZZ_SECONDS='$(SECONDS)' tests/check fuzz

bench:
	@tests/bench/run

format:
	@clang-format -i $(wildcard bin/*.c lib/*/*.[ch] queue/*.[ch] tests/*/*.[ch])

clean:
	rm -rf build

help:
	@echo 'make           build into build/'
	@echo 'make up        start a private instance under ./run and send it one mail'
	@echo 'make down      stop it'
	@echo 'make install   install below PREFIX (/usr/local) and DESTDIR; INSTALL tells the rest'
	@echo 'make uninstall take that away again; configuration and mail stay'
	@echo 'make check     every test'
	@echo 'make fuzz      every parser, for SECONDS (600) each'
	@echo 'make bench     the figures of docs/performance.md'
	@echo 'make deps      install the Debian packages named in ./packages'
	@echo 'make format    apply the style'

.PHONY: all up down install uninstall deps check fuzz bench format clean help

-include $(shell find $(B) -name '*.d' 2>/dev/null)
