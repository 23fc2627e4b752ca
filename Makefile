# One word for each act; `make help` lists them.
# PYTHON=python3.12 chooses the interpreter, VENV=folder the place, ARGS="..." goes to the program.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

# $(abspath) so that a recipe may change its folder.
BIN := $(abspath $(VENV))/bin
PY := $(BIN)/python
# Most of what the tests take is waiting, so four at once suit two cores.
SIDE_BY_SIDE := -n 4 --dist=worksteal
# --durations=10 lists the ten tests that took longest.
LONGEST ?=
# Stands for a finished set-up; older than one of its two sources, the set-up is done again.
READY := $(VENV)/.ready
DIST ?= dist
# What `make dist` builds first; empty: a wheel without the pages of `trialwatch ui`, and no Node is needed.
PAGES ?= ui
MANUAL ?= .build/trialwatch.1
PROTOS := $(wildcard api/*/*.proto)

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help setup ui ui-types test-ui demo logs test test-cluster test-operators test-installing
.PHONY: cluster-up cluster-install cluster-down lint fix bench proto crds golden fuzz mutate locks launcher dist
.PHONY: bundles monitoring clean

help:  ## list these words
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 25

setup: $(READY)  ## make .venv and install every program into it (all others do this first)

# The build backend comes by constraints.txt too, hence --no-build-isolation. pip 25.1 is the first that
# installs a dependency group.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "trialwatch needs Python 3.11 or newer as \`$(PYTHON)\`: install it, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) comes without venv: install it (Debian, Ubuntu: apt-get install python3-venv), then say make again" >&2; exit 1; }
	@echo "Setting up $(VENV); this happens once and takes about a minute." >&2
	@$(PY) -c pass 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet -c constraints.txt 'pip>=25.1' hatchling
	@$(PY) -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[cluster]' --group all
	@touch $@

ui:  ## build the pages of `trialwatch ui` from web/ into ui/dist (takes Node from PyPI where none is)
	@sh web/build.sh $$(test -x $(PY) && echo $(PY) || echo $(PYTHON))

ui-types: $(READY)  ## write web/src/api.ts, the types of the API, from ui/model and ui/server
	@$(PY) -m ui.server.typescript >web/src/api.ts

demo: $(READY)  ## search for the best training of handwritten digits, on this machine
	@rm -rf .build/demo
	@PATH="$(BIN):$$PATH" trialwatch run examples/random.yaml --state-dir .build/demo $(ARGS)

logs: $(READY)  ## find the metrics in the logs of real trainings
	@PATH="$(BIN):$$PATH" sh examples/find_metrics.sh $(ARGS)

test: $(READY)  ## run every test but those that need a cluster
	@$(PY) -m pytest $(LONGEST) $(or $(ARGS),--ignore=tests/cluster --ignore=tests/browser $(SIDE_BY_SIDE))

test-ui: $(READY) ui  ## build the pages, and test them in a browser (chromium)
	@$(PY) -m pip install --quiet -c constraints.txt --group browser
	@$(PY) -m pytest $(LONGEST) $(or $(ARGS),tests/browser)

test-cluster: $(READY)  ## run the tests that need Kubernetes, on a node brought up here (root)
	@$(PY) -m tests.cluster $(LONGEST) $(or $(ARGS),tests/cluster)

test-operators: $(READY)  ## run the tests with the operators of other kinds of jobs, on such a node (root)
	@$(PY) -m tests.cluster.operators $(ARGS)

test-installing: export TRIALWATCH_E2E_INSTALLING = 1
test-installing: $(READY)  ## run the tests that install and remove trialwatch, on such a node (root)
	@$(PY) -m tests.cluster --durations=0 $(or $(ARGS),tests/cluster/installing)

cluster-up: $(READY)  ## bring up a Kubernetes node by hand; prints its kubeconfig (root)
	@$(PY) -m tests.cluster.node up

cluster-install: $(READY)  ## build the images, and install them on that node (root)
	@$(PY) -m tests.cluster.installation

cluster-down: $(READY)  ## end that node, and remove all that it was
	@$(PY) -m tests.cluster.node down

lint: $(READY)  ## style, types, and what may import what
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(BIN)/lint-imports

fix: $(READY)  ## let ruff repair what it can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: $(READY) launcher  ## measure the speed, as ratios inside one run
	@$(PY) -m bench $(ARGS)

# From the root, so that the generated code imports itself by its right name.
proto: $(READY)  ## generate the wire from the .proto files
	@$(PY) -m grpc_tools.protoc -I. --python_out=. --pyi_out=. $(PROTOS)
	@$(PY) -m grpc_tools.protoc -I. --grpc_python_out=. $(shell grep -l '^service ' $(PROTOS))

crds: $(READY)  ## generate manifests/crds, the schema for editors and the tables of docs/experiment.md
	@$(PY) -m manifests.schema

monitoring: $(READY)  ## write the alerts and the dashboard, from manifests/monitoring
	@$(PY) -m manifests.monitoring

locks: $(READY)  ## write images/locks: the packages of each image with their hashes, by constraints.txt
	@$(PY) -m images.lock $(ARGS)

golden: $(READY)  ## rewrite the golden files; review the diff as code
	@$(PY) -m pytest --update-golden $(ARGS)

# How long each fuzz test keeps at it, and how many examples each property gets.
fuzz: export TRIALWATCH_FUZZ_SECONDS ?= 60
fuzz: export TRIALWATCH_EXAMPLES ?= 20000
fuzz: $(READY)  ## run the tests with many more examples, and the fuzz tests for long
	@$(PY) -m pytest $(ARGS)

mutate: $(READY)  ## break the product one line at a time: a test must fail each time (SAMPLE=4: four lines)
	@$(PY) -m tests.mutations $(if $(SAMPLE),--sample $(SAMPLE)) $(ARGS)

launcher:  ## build .build/launch, where a C compiler is
	@if command -v cc >/dev/null; then $(MAKE) --no-print-directory .build/launch; \
	else echo "no C compiler (cc) here: .build/launch is not built" >&2; fi

.build/launch: $(wildcard launcher/*.c launcher/*.h)
	@mkdir -p .build
	cc -static -O2 -Wall -Wextra -Werror -o $@ $(filter %.c,$^)

dist: $(READY) $(MANUAL) $(PAGES)  ## build the wheel, the source distribution and their SBOM into dist/
	@TRIALWATCH_MANUAL=$(MANUAL) $(PY) -m hatchling build --clean --directory $(DIST)
	@$(PY) images/sbom.py trialwatch --requires trialwatch >$(DIST)/trialwatch.cdx.json

# sed: the writer does not mark a line of text that begins with a dot, which roff takes for a request.
$(MANUAL): $(READY) $(wildcard trialwatch/*.py trialwatch/command*/*.py)
	@mkdir -p $(dir $@)
	@$(BIN)/argparse-manpage --module trialwatch.command_line.parser --function whole_parser --project-name trialwatch \
	  --prog trialwatch --description "tunes any program that prints its metrics" \
	  --manual-title "trialwatch" | sed -E 's/^\.[[:alnum:]]{3}/\\\&&/' >$@

bundles: $(READY)  ## build the YAML of each overlay, and the Helm chart, into dist/ (kustomize or kubectl)
	@$(PY) -m manifests.release $(DIST) $(ARGS)

clean:  ## remove all that was made here, .venv too
	rm -rf .venv .build build dist ui/dist web/node_modules *.egg-info
	rm -rf .grimp_cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
