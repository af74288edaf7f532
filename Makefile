# Babelet. `make` lists what there is; every target installs what it needs first.

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
REQUIREMENTS := $(wildcard requirements*.txt) constraints.txt hashes.txt pyproject.toml
STAMP := $(VENV)/installed
# A second time it only writes the report anew, with what was measured in between.
DISTILL = $(RUN) -m babelet.training.distill --config=configs/smart_home.py \
	--workdir=runs/smart_home
LOG := $(VENV)-install.log
PIP := $(RUN) -m pip install --disable-pip-version-check
NOT_INSTALLED = { \
	cause=$$(grep -m1 ERROR $(LOG) || tail -n1 $(LOG)); \
	! grep -q Retrying $(LOG) || cause="the package index cannot be reached"; \
	echo "The requirements could not be installed: $${cause%.} (details: $(LOG))." \
		"Remedy: check the network, pip's settings and the free disk space, then" \
		"run make again." >&2; exit 1; }

# As pyproject.toml maps them into the package.
FOLDERS := configs data model evaluation tasks export training search

# As benchmarks/chromium.py looks for them.
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

# For pipefail.
SHELL := /bin/bash

export TF_CPP_MIN_LOG_LEVEL ?= 2
# As babelet/core/startup.py has it.
export TF_CPU_ALLOCATOR_USE_BFC ?= true

.PHONY: help install distill check fast test browser package lint docs wheel baseline
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) \
		| expand -t 18

install: $(STAMP) ## Set up .venv (PYTHON=python3.12 chooses the Python)

distill: $(STAMP) ## The main job: distil, export and measure the default student
	$(DISTILL)
	$(RUN) -m benchmarks.latency --workdir=runs/smart_home
	$(DISTILL)

check: $(STAMP) ## Check style and types and run the fast tests, in a minute or so
	@$(MAKE) --no-print-directory -j2 --output-sync lint fast

fast: $(STAMP) ## Run the fast tests
	$(RUN) -m pytest -n 2 --dist loadfile -q --durations=5 -m "not slow"

test: $(STAMP) package browser ## Run all tests
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# The page is tested in a real browser, which no package index of Python's has, and
# MediaPipe links to two libraries of the system's.
browser: ## Install what the tests of page and MediaPipe need, where make may
	@{ test -n "$(CHROMIUM)" || command -v $(BROWSERS) >/dev/null; } \
		&& ldconfig -p | grep -q libEGL.so.1 && ldconfig -p | grep -q libGLESv2.so.2 \
		&& exit 0; \
	test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	&& echo "Installing Chromium, libegl1 and libgles2 ..." \
	&& apt-get update -qq >$(LOG) 2>&1 \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
		--no-install-recommends chromium libegl1 libgles2 >>$(LOG) 2>&1 \
	|| echo "Chromium, libegl1 or libgles2 is not installed: the tests of the page" \
		"or of MediaPipe will be skipped. Remedy: apt install chromium libegl1" \
		"libgles2, or give another browser with CHROMIUM=." >&2

# As pip installs it: the type checker does not follow an editable install.
package: ## Lay the folders out as pip installs them, for the type checker
	@rm -rf build/package && mkdir -p build/package/babelet
	@cp -a babelet/. $(FOLDERS) build/package/babelet && cp -a benchmarks build/package

lint: $(STAMP) package ## Check style, formatting and types
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	@set -o pipefail; $(RUN) -m basedpyright --pythonpath $(RUN) \
		| sed "s|$$PWD/build/package/babelet/||"

# Sphinx's warnings, broken links among them, are errors. Nothing is downloaded. All is
# read again (-E): pages that are made from the code do not change when that does.
SPHINX = $(RUN) -m sphinx -q -E -W --keep-going -c docs

docs: $(STAMP) ## Build the documentation: build/docs/index.html
	$(SPHINX) -d build/doctrees/en docs build/docs
	$(SPHINX) -d build/doctrees/zh -D language=zh_CN docs/zh build/docs/zh

wheel: $(STAMP) ## Build the package into dist/
	$(RUN) -m build --wheel --no-isolation

baseline: $(STAMP) ## Compare with training without the teacher (hours; resumable)
	$(DISTILL)
	$(RUN) -m benchmarks.baseline --prepared=runs/smart_home \
		--workdir=runs/smart_home/baseline
	$(DISTILL)

# The stamp is newer than the requirements once they are installed. What goes wrong
# is said in one line; pip's own messages are kept in the log.
$(STAMP): $(REQUIREMENTS)
	@version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' \
		2>/dev/null) || version=missing; \
	case $$version in 3.11|3.12|3.13) ;; *) \
		echo "Babelet needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$version." \
			"Remedy: install one of them and run make PYTHON=python3.11" \
			"$(MAKECMDGOALS)." >&2; exit 1;; esac
	@$(RUN) -m pip --version >$(LOG) 2>&1 || $(PYTHON) -m venv --clear $(VENV) \
		>$(LOG) 2>&1 || { rm -rf $(VENV); \
		echo "$(PYTHON) could not create the virtual environment $(VENV) (details:" \
			"$(LOG)). Remedy: apt install python3-venv on Debian or Ubuntu, or give" \
			"another Python with PYTHON=, then run make again." >&2; exit 1; }
# One small package first: where it fails, pip would say much and help little.
	@$(PIP) -c constraints.txt -q --dry-run --no-deps tqdm >$(LOG) 2>&1 || $(NOT_INSTALLED)
	@echo "Installing the requirements into $(VENV) ..."
	@$(PIP) --require-hashes -r hashes.txt 2>$(LOG) || $(NOT_INSTALLED)
	@$(PIP) -q --no-deps --no-build-isolation -e . 2>$(LOG) || $(NOT_INSTALLED)
	@$(RUN) -m pip check
	@touch $@
