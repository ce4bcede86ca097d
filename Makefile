# All of it happens in dev.py. Also: make demo PORT=9000, make test ARGS="-k cookie -x".
PYTHON ?= $(or $(shell for p in python3 python3.13 python3.12 python3.11; do command -v $$p && break; done),python3)

.PHONY: help demo test spark trust compiled bench check
help demo test spark trust compiled bench check:
	@$(PYTHON) dev.py $@ $(ARGS)
